import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Event } from '@retrigger/domain/event.ts';

/** Every file of a data folder, as it stands on the disk: stores, log, keys, journals, write-ahead logs. */
export const filesOf = (folder: string): [string, Buffer][] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isFile() ? [[entry.name, readFileSync(join(folder, entry.name))] as [string, Buffer]] : [],
  );

/** The files that a text is in, in any of the ways in which it may be written down. */
export function filesWith(folder: string, text: string): string[] {
  const bytes = Buffer.from(text);
  const spellings = [bytes, bytes.toString('hex'), Buffer.from(text, 'utf16le'), ...[0, 1, 2].map((shift) => base64Core(bytes, shift))];
  return filesOf(folder).flatMap(([name, content]) => (spellings.some((spelling) => content.includes(spelling)) ? [name] : []));
}

/** The part of a text's base64 that doesn't depend on what stands around it, when it begins `shift` bytes into a group of three. */
function base64Core(bytes: Buffer, shift: number): string {
  const padded = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
  return padded.slice(shift === 0 ? 0 : 4, Math.floor((shift + bytes.length) / 3) * 4);
}

function reading<T>(folder: string, file: string, read: (db: DatabaseSync) => T): T {
  const db = new DatabaseSync(join(folder, file), { readOnly: true });
  try {
    return read(db);
  } finally {
    db.close();
  }
}

export const keyRecords = (folder: string): { id: string; token: string; secret: string }[] =>
  reading(folder, 'keys.db', (db) => db.prepare('SELECT id, token, secret FROM keys').all()) as {
    id: string;
    token: string;
    secret: string;
  }[];

/** The stream of the tenant `default` itself, as it is stored. */
export const tenantEvents = (folder: string): Event[] =>
  reading(folder, 'store.db', (db) => db.prepare(`SELECT json FROM events WHERE key = 'default/~tenant' ORDER BY sequence`).all()).map(
    ({ json }) => JSON.parse(String(json)),
  );

/** How many records were given up because nobody knows their type. */
export const deadLetters = (folder: string): number =>
  reading(folder, 'log.db', (db) =>
    Number(db.prepare(`SELECT count(*) AS letters FROM records WHERE headers LIKE '%unknown command type%'`).get()?.letters),
  );

/** A record of the work log that holds sealed values and that no worker can read: a dead letter. */
export function appendUnreadable(folder: string): void {
  const log = new DatabaseSync(join(folder, 'log.db'));
  try {
    const row = log.prepare(`SELECT * FROM records WHERE CAST(value AS TEXT) LIKE '%"TriggerTask"%$sealed%' LIMIT 1`).get();
    if (row === undefined) throw new Error('no sealed trigger stands in the log');
    const value = Buffer.from(
      Buffer.from(row.value as Uint8Array)
        .toString()
        .replace('"TriggerTask"', '"TriggerTusk"'),
    );
    const { next } = log.prepare('SELECT max(offset) + 1 AS next FROM records WHERE lane = ?').get(row.lane ?? 0) as { next: number };
    log
      .prepare('INSERT INTO records (lane, offset, at, key, value, headers) VALUES (?, ?, ?, ?, ?, ?)')
      .run(row.lane ?? 0, next, row.at ?? 0, row.key ?? '', value, row.headers ?? null);
  } finally {
    log.close();
  }
}
