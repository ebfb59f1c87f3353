// A worker on a data folder, with timers: node wake-ups-child.ts FOLDER fill|resume COUNT SPREAD_MS LEAD_MS [HELD]
// `fill` first creates HELD tasks that are due in a day, then COUNT that are due, evenly spread over SPREAD_MS, from LEAD_MS after it began with those. Prints what
// happens, a JSON line each.
import { join } from 'node:path';
import { jsonEvents } from '@retrigger/contract/event-codec.ts';
import { decodeWork, encodeWork } from '@retrigger/contract/work-record.ts';
import type { Command } from '@retrigger/domain/command.ts';
import { domainDecider } from '@retrigger/domain/domain-decider.ts';
import type { AnyDecider } from '@retrigger/engine/aggregate.ts';
import { systemClock as clock } from '@retrigger/lifecycle/system-clock.ts';
import { MemoryAnswers } from '@retrigger/memory/memory-answers.ts';
import { type LogRecord, TOPICS, WORKER_GROUP } from '@retrigger/ports/log.ts';
import { silent } from '@retrigger/ports/observer.ts';
import { unobserved } from '@retrigger/ports/reached.ts';
import { openSqliteLog } from '@retrigger/sqlite/sqlite-log.ts';
import { openSqliteStore } from '@retrigger/sqlite/sqlite-store.ts';
import { createWorker } from '@retrigger/worker/worker.ts';
import { closedLoop, percentiles } from './load.ts';

const [, , folder = '', mode, countText, spreadText, leadText, heldText] = process.argv;
const [count, spreadMs, leadMs, held] = [Number(countText), Number(spreadText), Number(leadText), Number(heldText ?? 0)];
const CHUNK = 500;
const DAY_MS = 86_400_000;

const opened = openSqliteLog(join(folder, 'log.db'), { [TOPICS.work]: 8, [TOPICS.events]: 8, [TOPICS.deadLetters]: 1 }, clock, unobserved);
if (opened.kind !== 'open') throw new Error('the log could not be opened');
const { log } = opened;
const store = openSqliteStore(join(folder, 'store.db'), unobserved);
const say = (what: object): void => void process.stdout.write(`${JSON.stringify(what)}\n`);
const mebibytes = (): number => Math.round(process.memoryUsage.rss() / 2 ** 20);

const lateMs: number[] = [];
const fired = new Set<string>();
await log.consume(TOPICS.events, 'bench', {
  async assigned() {},
  async revoked() {},
  async batch(_partition, records, commit) {
    for (const record of records) if (record.headers.eventType === 'TaskTriggered') note(record);
    await commit((records.at(-1)?.offset ?? 0) + 1);
  },
});
const worker = await createWorker({
  ...{ log, events: store.events, receipts: store.receipts, snapshots: store.snapshots, decisions: store.decisions },
  ...{ answers: new MemoryAnswers(clock), clock, observer: silent, reached: unobserved },
  ...{ decider: domainDecider as AnyDecider, decode: decodeWork, encode: encodeWork, encodeEvent: jsonEvents.encode },
});

function note({ value, key }: LogRecord): void {
  const { timestamp, metadata } = JSON.parse(Buffer.from(value).toString());
  fired.add(key);
  lateMs.push(Date.parse(timestamp) - Date.parse(metadata.scheduledFor));
}

async function create(name: string, tasks: number, from: number): Promise<void> {
  const startedAt = clock.now();
  await closedLoop(tasks / CHUNK, 4, async (chunk) => {
    const records = Array.from({ length: CHUNK }, (_, i) => encodeWork(creation(name, chunk * CHUNK + i, tasks, from)));
    await log.append(TOPICS.work, records);
  });
  while ((await log.lag(TOPICS.work, WORKER_GROUP)) > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  say({ pending: tasks, tookMs: clock.now() - startedAt, beforeFirstDueMs: from - clock.now(), rssMiB: mebibytes() });
}

if (mode === 'fill') {
  if (held > 0) await create('held', held, clock.now() + DAY_MS);
  await create('t', count, clock.now() + leadMs);
}

if (mode === 'resume') {
  for (let i = 0; i < count; i++) if ((await store.events.count(`bench/t${i}`, { types: ['TaskTriggered'] })) > 0) fired.add(`bench/t${i}`);
}

/** Due times in shuffled order: 7919 is prime, so the multiples meet every slot once. */
function creation(name: string, i: number, of: number, from: number): Command {
  const at = new Date(from + Math.floor((((i * 7_919) % of) * spreadMs) / of)).toISOString();
  const body = { type: 'bench', schedule: { strategy: 'at', at } } as const;
  const actor = { id: 'bench', type: 'user' } as const;
  return {
    commandId: `create-${name}${i}`,
    tenantId: 'bench',
    taskId: `${name}${i}`,
    actor,
    roles: ['admin'],
    correlationId: 'bench',
    type: 'CreateTask',
    body,
  };
}

let peakMiB = 0;
while (fired.size < count) {
  peakMiB = Math.max(peakMiB, mebibytes());
  say({ fired: fired.size });
  await new Promise((resolve) => setTimeout(resolve, 250));
}
say({ done: true, fired: fired.size, late: percentiles(lateMs), earliestMs: lateMs.reduce((a, b) => Math.min(a, b), 0), rssMiB: peakMiB });
await worker.stop();
const twice: string[] = [];
for (const [name, tasks, wanted] of [
  ['t', count, 1],
  ['held', held, 0],
] as const)
  for (let i = 0; i < tasks; i += Math.max(1, Math.floor(tasks / 20_000))) {
    const triggers = await store.events.count(`bench/${name}${i}`, { types: ['TaskTriggered'] });
    if (triggers !== wanted) twice.push(`${name}${i}: ${triggers}`);
  }
say({ checked: true, wrong: twice.slice(0, 10) });
await log.close();
await store.close();
process.exit(twice.length === 0 ? 0 : 1);
