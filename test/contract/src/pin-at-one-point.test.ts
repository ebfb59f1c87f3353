import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pinAtOnePoint } from '@retrigger/sqlite/pin-at-one-point.ts';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from './temporary-folder.ts';

const PINS = 60;

const rowOf = (path: string, sql: string): { [column: string]: number } => {
  const db = new DatabaseSync(path);
  try {
    return db.prepare(sql).get() as { [column: string]: number };
  } finally {
    db.close();
  }
};

test('log and store are pinned at one moment, however fast another process writes to both (N1)', async () => {
  const folder = temporaryFolder();
  const writer = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'pin-writer.ts'), folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(async () => {
    writer.kill('SIGKILL');
    if (writer.exitCode === null && writer.signalCode === null) await once(writer, 'exit');
  });
  await once(writer.stdout, 'data');
  const seen = new Set<number>();
  for (let i = 0; i < PINS; i++) {
    const pinned = pinAtOnePoint(join(folder, 'log.db'), join(folder, 'store.db'));
    const [log, store] = [join(folder, `log-${i}`), join(folder, `store-${i}`)];
    await pinned.copyStore(store); // the writer goes on meanwhile
    await pinned.copyLog(log);
    pinned.release();
    const { decision = -1 } = rowOf(store, 'SELECT decision FROM store');
    const { record = -1, next = -1 } = rowOf(log, 'SELECT record, next FROM log');
    expect([0, 1], 'records without their decision').toContain(record - decision);
    expect([0, 1], 'decisions that the offset has not passed').toContain(decision - next);
    seen.add(decision);
  }
  expect(seen.size, 'it wrote in between').toBeGreaterThan(PINS / 2);
});
