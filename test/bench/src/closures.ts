// npm run bench:closures [-- --tasks 10000 --rounds 200]
// The check of a whole closure, embedded, warm: how long the owner of a task takes to decide about 10,000 others. `cpuMs` leaves out what the machine did for others.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { jsonEvents } from '@retrigger/contract/event-codec.ts';
import { decodeWork, encodeWork } from '@retrigger/contract/work-record.ts';
import type { Command } from '@retrigger/domain/command.ts';
import type { TaskCommandBody } from '@retrigger/domain/task/commands.ts';
import { taskDecider } from '@retrigger/domain/task/decider.ts';
import type { AnyDecider } from '@retrigger/engine/aggregate.ts';
import { AggregateCache } from '@retrigger/engine/aggregate-cache.ts';
import { applyBatch, type WorkerPorts } from '@retrigger/engine/apply-batch.ts';
import { systemClock as clock } from '@retrigger/lifecycle/system-clock.ts';
import { MemoryAnswers } from '@retrigger/memory/memory-answers.ts';
import { MemoryLog } from '@retrigger/memory/memory-log.ts';
import { TOPICS } from '@retrigger/ports/log.ts';
import { silent } from '@retrigger/ports/observer.ts';
import { unobserved } from '@retrigger/ports/reached.ts';
import { openSqliteStore } from '@retrigger/sqlite/sqlite-store.ts';
import { now, percentiles } from './load.ts';

const { values } = parseArgs({ options: { tasks: { type: 'string', default: '10000' }, rounds: { type: 'string', default: '200' } } });
const [tasks, rounds] = [Number(values.tasks), Number(values.rounds)];
/** So many depend on one each of the level below: 100 levels of 100 for 10,000. */
const WIDTH = 100;

const folder = mkdtempSync(join(tmpdir(), 'retrigger-closures-'));
const store = openSqliteStore(join(folder, 'store.db'), unobserved);
const log = new MemoryLog({ [TOPICS.work]: 1, [TOPICS.events]: 1, [TOPICS.deadLetters]: 1 }, clock, unobserved);
const ports: WorkerPorts = {
  ...{ log, events: store.events, receipts: store.receipts, snapshots: store.snapshots, decisions: store.decisions },
  ...{ answers: new MemoryAnswers(clock), clock, observer: silent, reached: unobserved },
  ...{ decider: taskDecider as AnyDecider, decode: decodeWork, encode: encodeWork, encodeEvent: jsonEvents.encode },
};
const cache = new AggregateCache(1_000);
let offset = 0;

async function take(commands: Command[]): Promise<number> {
  const records = commands.map((command) => ({
    ...encodeWork(command),
    topic: TOPICS.work,
    partition: 0,
    offset: offset++,
    at: clock.now(),
  }));
  const from = now();
  await applyBatch(ports, cache, 0, records, async () => {});
  return now() - from;
}

const command = (taskId: string, body: TaskCommandBody): Command => ({
  ...{ commandId: `${taskId}-${offset}-${body.type}`, tenantId: 'bench', taskId, actor: { id: 'bench', type: 'user' } as const },
  ...{ roles: ['admin' as const], correlationId: 'bench' },
  ...body,
});

for (let from = 0; from < tasks; from += WIDTH) {
  const level = Array.from({ length: Math.min(WIDTH, tasks - from) }, (_, i) => from + i);
  await take(
    level.map((i) =>
      command(`t${i}`, { type: 'CreateTask', body: { type: 'bench', ...(from === 0 ? {} : { dependencies: [`t${i - WIDTH}`] }) } }),
    ),
  );
}
const lastLevel = Array.from({ length: Math.min(WIDTH, tasks) }, (_, i) => `t${tasks - 1 - i}`);
const TOPS = ['top-0', 'top-1'];
await take(TOPS.map((top) => command(top, { type: 'CreateTask', body: { type: 'bench', dependencies: lastLevel } })));
await take([command('last', { type: 'CreateTask', body: { type: 'bench' } })]);

/** A change of dependencies is proposed first; confirming it walks everybody's edges behind the new ones. */
async function change(round: number): Promise<number> {
  const proposing = await take([command('last', { type: 'ChangeTask', body: { dependencies: [TOPS[round % 2] as string] } })]);
  const proposal = `last-${offset - 1}-ChangeTask`;
  return proposing + (await take([command('last', { type: 'ConfirmDependencies', body: { proposal } })]));
}

/** Refused: not one of them is Completed, and the verdict says so for each. */
const trigger = (): Promise<number> =>
  take([command('last', { type: 'TriggerTask', body: { conditions: { dependenciesComplete: true } } })]);

async function measure(what: string, one: (round: number) => Promise<number>, eventType: string): Promise<void> {
  const first = await one(0);
  const took: number[] = [];
  const busy: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    const before = process.cpuUsage();
    took.push(await one(round));
    const { user, system } = process.cpuUsage(before);
    busy.push((user + system) / 1_000);
  }
  const events = await store.events.count('bench/last', { types: [eventType] });
  process.stdout.write(
    `${JSON.stringify({ what, tasks, rounds, firstMs: Math.round(first), warmMs: percentiles(took), cpuMs: percentiles(busy) })}\n`,
  );
  if (events !== rounds + 1) throw new Error(`${events} instead of ${rounds + 1} ${eventType}`);
}

await measure('dependencies changed, whole closure checked for cycles', change, 'DependenciesChanged');
await measure('conditional trigger, whole closure judged and explained', trigger, 'CommandRefused');
await store.close();
await log.close();
rmSync(folder, { recursive: true, force: true });
