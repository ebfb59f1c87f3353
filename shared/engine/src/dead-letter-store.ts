import { derive, ID_PATTERN } from '@retrigger/domain/identifiers.ts';
import { formatInstant, parseInstant } from '@retrigger/domain/instant.ts';
import type { JsonObject } from '@retrigger/domain/json.ts';
import type { Document, DocumentStore } from '@retrigger/ports/document-store.ts';
import { type LogRecord, TOPICS } from '@retrigger/ports/log.ts';
import { DEAD_LETTER_HEADERS, UNDELIVERED_HEADERS } from './dead-letters.ts';

/** Where dead letters are that prove no tenant: no tenant can have this name. */
export const NO_TENANT = '?';
/** The tenant whose admins see them. */
export const KEEPER = 'default';

/** They may be large. */
const SWEPT_AT_ONCE = 20;

const OPEN = 'dead-letter';
const CLOSED = 'dead-letter.closed';

/** What somebody did about a dead letter. `by` is the token of their name; `reason` is null where none is asked for. */
export type Closing = { action: 'redriven' | 'dropped'; by: string; at: string; reason: string | null; commandId: string };

/** Something that was given up, with all that is known. Instants are ISO 8601. */
export type DeadLetter = {
  tenantId: string;
  id: string;
  /** Of the record that was given up. */
  topic: string;
  key: string;
  headers: { [name: string]: string };
  /** Base64. */
  bytes: string;
  reason: string;
  attempts: number;
  /** The log time of the record. */
  at: string;
  /** Which subscription was to be told which event of the task in the key; null: no notification. */
  notification: { subscriptionId: string; sequence: number; partition: number; offset: number } | null;
  /** What was done about it, the last one last. */
  history: Closing[];
};

export type DeadLetters = {
  collect(record: LogRecord): Promise<void>;
  list(tenantId: string, state: 'open' | 'closed', after: string | null, limit: number): Promise<DeadLetter[]>;
  find(tenantId: string, id: string): Promise<{ letter: DeadLetter; isOpen: boolean } | undefined>;
  /**
   * Does what is to be done about an open one, and closes it.
   * Z1: who does it, and why, is stored before it is done; it is closed only when it is done. What a crash leaves between is still open, and may be done again.
   * Z2: what is closed stays, with its history, for as long as its tenant keeps dead letters; of two who close it at once it is the history of both. `gone`:
   * somebody else was first.
   * Z3: what is closed is open no more, although two documents say so: who finds it as both, after a crash or as a collector that had looked before, takes the
   * open one away.
   */
  close(letter: DeadLetter, closing: Closing, act: () => Promise<void>): Promise<'closed' | 'gone'>;
  /** Deletes those of a tenant whose records are older than `before` (epoch ms), open and closed; returns how many. */
  sweep(tenantId: string, before: number): Promise<number>;
};

/** Dead letters as documents: the open ones under one kind, those that were dealt with under another. */
export function deadLettersIn(documents: DocumentStore): DeadLetters {
  const find: DeadLetters['find'] = async (tenantId, id) => {
    const open = await documents.read(OPEN, tenantId, id);
    const closed = await documents.read(CLOSED, tenantId, id);
    if (open !== undefined && closed !== undefined) await documents.remove(OPEN, tenantId, id); // Z3
    const found = closed ?? open;
    return found === undefined ? undefined : { letter: letterOf(found), isOpen: closed === undefined };
  };
  /** Z2. */
  const keep = async (letter: DeadLetter): Promise<void> => {
    while ((await documents.write(documentOf(CLOSED, letter, 1))) === 'conflict') {
      const there = await documents.read(CLOSED, letter.tenantId, letter.id);
      if (there === undefined) continue;
      const { history, ...rest } = letterOf(there);
      const told = new Set(history.map(({ commandId }) => commandId));
      const more = letter.history.filter(({ commandId }) => !told.has(commandId));
      const both = documentOf(CLOSED, { ...rest, history: [...history, ...more] }, there.version + 1);
      if (more.length === 0 || (await documents.write(both)) === 'written') return;
    }
  };
  return {
    find,
    async collect(record) {
      const letter = letterFrom(record);
      const { tenantId, id } = letter;
      const isClosed = async () => (await documents.read(CLOSED, tenantId, id)) !== undefined;
      if (!(await isClosed())) await documents.write(documentOf(OPEN, letter, 1));
      if (await isClosed()) await documents.remove(OPEN, tenantId, id); // Z3
    },
    list: async (tenantId, state, after, limit) =>
      (await documents.list(state === 'open' ? OPEN : CLOSED, tenantId, after, limit)).map(letterOf),
    async sweep(tenantId, before) {
      let swept = 0;
      for (const kind of [OPEN, CLOSED]) {
        for (;;) {
          const found = await documents.list(kind, tenantId, null, SWEPT_AT_ONCE);
          const old = found.filter(({ id }) => id < idTime(before));
          for (const { id } of old) if (await documents.remove(kind, tenantId, id)) swept++;
          if (old.length < SWEPT_AT_ONCE) break;
        }
      }
      return swept;
    },
    async close({ tenantId, id }, closing, act) {
      for (;;) {
        const open = await documents.read(OPEN, tenantId, id);
        if (open === undefined) return 'gone';
        const letter = letterOf(open);
        const told = { ...letter, history: [...letter.history.filter(({ commandId }) => commandId !== closing.commandId), closing] };
        if ((await documents.write(documentOf(OPEN, told, open.version + 1))) === 'conflict') continue; // Z1
        await act();
        await keep(told);
        await documents.remove(OPEN, tenantId, id);
        return 'closed';
      }
    },
  };
}

/**
 * Its id is made of where the record stood that was given up, and of the delivery: whoever gives it up twice, or two who give it up, make one dead letter. Ids stand in
 * the order of the records' times, and tell nothing of anybody else's.
 */
function letterFrom(record: LogRecord): DeadLetter {
  const { headers } = record;
  const { reason = 'unknown', at = '' } = headers;
  const [topic, partition, offset] = [
    headers['source-topic'] ?? record.topic,
    headers['source-partition'] ?? String(record.partition),
    headers['source-offset'] ?? String(record.offset),
  ];
  const isNotification = topic === TOPICS.events && headers.subscription !== undefined; // elsewhere these names are whoever's headers
  const { subscription, delivery = '', sequence, attempts = '1' } = isNotification ? headers : {};
  const givenAt = parseInstant(at) ?? record.at;
  const added: readonly string[] = [...DEAD_LETTER_HEADERS, ...(subscription === undefined ? [] : UNDELIVERED_HEADERS)];
  return {
    tenantId: tenantOf(topic, record.key),
    id: `${idTime(givenAt)}.${derive('dead-letter', topic, partition, offset, delivery)}`,
    topic,
    key: record.key,
    headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !added.includes(name))),
    bytes: Buffer.from(record.value).toString('base64'),
    reason,
    attempts: Number(attempts),
    at: formatInstant(givenAt),
    notification:
      subscription === undefined
        ? null
        : { subscriptionId: subscription, sequence: Number(sequence), partition: Number(partition), offset: Number(offset) },
    history: [],
  };
}

/** How ids begin: by the time of the record, epoch ms. */
const idTime = (at: number): string => String(Math.max(0, Math.floor(at))).padStart(15, '0');

/** Only the doors and the workers write to the work log and the events topic, so there a record's key proves its tenant. */
function tenantOf(topic: string, key: string): string {
  const [tenantId = '', name = ''] = key.split('/');
  const isOurs = topic === TOPICS.work || topic === TOPICS.events;
  return isOurs && ID_PATTERN.test(tenantId) && ID_PATTERN.test(name) ? tenantId : NO_TENANT;
}

function documentOf(kind: string, { tenantId, id, ...body }: DeadLetter, version: number): Document {
  return { kind, tenantId, id, version, body: body satisfies JsonObject };
}

const letterOf = ({ tenantId, id, body }: Document): DeadLetter => ({ ...body, tenantId, id }) as unknown as DeadLetter;
