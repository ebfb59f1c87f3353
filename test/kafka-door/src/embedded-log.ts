import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@retrigger/lifecycle/system-clock.ts';
import { type LogRecord, TOPICS } from '@retrigger/ports/log.ts';
import { unobserved } from '@retrigger/ports/reached.ts';
import { openSqliteLog } from '@retrigger/sqlite/sqlite-log.ts';
import { PARTITIONS, type WorldLog } from './world.ts';

const WATCHER = 'test.watcher';

/** The log of the embedded profile, in a folder of its own that goes with it. */
export async function embeddedLog(): Promise<WorldLog> {
  const folder = mkdtempSync(join(tmpdir(), 'retrigger-kafka-door-'));
  const opened = openSqliteLog(join(folder, 'log.db'), PARTITIONS, systemClock, unobserved);
  if (opened.kind !== 'open') throw new Error('a fresh log is another one');
  const { log } = opened;
  const watched = [TOPICS.work, TOPICS.deadLetters];
  const records = new Map<string, LogRecord[]>(watched.map((topic) => [topic, []]));
  for (const topic of watched) {
    await log.consume(topic, WATCHER, {
      assigned: async () => {},
      revoked: async () => {},
      async batch(_partition, some, commit) {
        records.get(topic)?.push(...some);
        await commit((some.at(-1)?.offset ?? -1) + 1);
      },
    });
  }
  return {
    append: (topic, some) => log.append(topic, some),
    partitionOf: (topic, key) => log.partitionOf(topic, key),
    partitionCount: (topic) => log.partitionCount(topic),
    consume: (topic, group, handler) => log.consume(topic, group, handler),
    lag: (topic, group) => log.lag(topic, group),
    progress: (topic, group) => log.progress(topic, group),
    async close() {
      await log.close();
      rmSync(folder, { recursive: true, force: true });
    },
    records: (topic) => records.get(topic) ?? [],
    appendFault: () => undefined,
    seen: async () => (await Promise.all(watched.map((topic) => log.lag(topic, WATCHER)))).every((lag) => lag === 0),
  };
}
