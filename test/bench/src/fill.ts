import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { jsonEvents } from '@retrigger/contract/event-codec.ts';
import { decodeWork, encodeWork } from '@retrigger/contract/work-record.ts';
import type { Command } from '@retrigger/domain/command.ts';
import { domainDecider } from '@retrigger/domain/domain-decider.ts';
import { taskKey } from '@retrigger/domain/identifiers.ts';
import type { AnyDecider } from '@retrigger/engine/aggregate.ts';
import { AggregateCache } from '@retrigger/engine/aggregate-cache.ts';
import { applyBatch, type WorkerPorts } from '@retrigger/engine/apply-batch.ts';
import { systemClock as clock } from '@retrigger/lifecycle/system-clock.ts';
import { MemoryAnswers } from '@retrigger/memory/memory-answers.ts';
import { type Log, type LogRecord, TOPICS } from '@retrigger/ports/log.ts';
import { silent } from '@retrigger/ports/observer.ts';
import { unobserved } from '@retrigger/ports/reached.ts';
import { partitionHash } from '@retrigger/sqlite/partition-hash.ts';
import { openSqliteStore } from '@retrigger/sqlite/sqlite-store.ts';

/** As many as the embedded profile has. */
const PARTITIONS = 8;
const BATCH = 1_000;
const FILLER = 'x'.repeat(100);

export const taskOf = (tenants: number, i: number): { tenantId: string; taskId: string } => ({
  tenantId: i % tenants === 0 ? 'default' : `tenant-${i % tenants}`,
  taskId: `task-${i}`,
});

/** Creates tasks of `tenants` tenants in a data folder, by the worker's own steps and in its own partitions, without a log: what it would have held is not needed any more. */
export async function fillWithTasks(folder: string, count: number, tenants: number): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const store = openSqliteStore(join(folder, 'store.db'), unobserved);
  const { events, receipts, snapshots, decisions } = store;
  const ports: WorkerPorts = {
    ...{ log: forgetful, events, receipts, snapshots, decisions, answers: new MemoryAnswers(clock), clock, observer: silent },
    ...{
      reached: unobserved,
      decider: domainDecider as AnyDecider,
      decode: decodeWork,
      encode: encodeWork,
      encodeEvent: jsonEvents.encode,
    },
  };
  const caches = Array.from({ length: PARTITIONS }, () => new AggregateCache(1));
  for (let from = 0; from < count; from += BATCH) {
    const waiting: LogRecord[][] = Array.from({ length: PARTITIONS }, () => []);
    for (let i = from; i < Math.min(count, from + BATCH); i++) {
      const command = creationOf(i, tenants);
      const partition = partitionHash(taskKey(command.tenantId, command.taskId)) % PARTITIONS;
      waiting[partition]?.push({ ...encodeWork(command), topic: TOPICS.work, partition, offset: i, at: clock.now() });
    }
    for (const [partition, records] of waiting.entries())
      await applyBatch(ports, caches[partition] ?? new AggregateCache(1), partition, records, async () => {});
  }
  await store.close();
}

function creationOf(i: number, tenants: number): Command {
  const body = { type: 'bench', context: { filler: FILLER } };
  const actor = { id: 'bench', type: 'user' as const };
  return { commandId: `create-${i}`, ...taskOf(tenants, i), actor, roles: ['admin'], correlationId: 'bench', type: 'CreateTask', body };
}

const absent = async (): Promise<never> => {
  throw new Error('there is no log here');
};

const forgetful: Log = {
  append: async () => {},
  partitionOf: (_topic, key) => partitionHash(key) % PARTITIONS,
  partitionCount: () => PARTITIONS,
  ...{ consume: absent, lag: absent, progress: absent, close: async () => {} },
};
