// A worker on a data folder, with timers: node wake-ups-child.ts FOLDER fill|resume COUNT SPREAD_MS LEAD_MS
// `fill` first creates COUNT tasks that are due, evenly spread over SPREAD_MS, from LEAD_MS after the last one was created. Prints what happens, a JSON line each.
import { join } from 'node:path';
import { jsonEvents } from '@retrigger/contract/event-codec.ts';
import { decodeWork, encodeWork } from '@retrigger/contract/work-record.ts';
import type { Command } from '@retrigger/domain/command.ts';
import { taskDecider } from '@retrigger/domain/task/decider.ts';
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

const [, , folder = '', mode, countText, spreadText, leadText, option] = process.argv;
const [count, spreadMs, leadMs] = [Number(countText), Number(spreadText), Number(leadText)];
const CHUNK = 500;

const opened = openSqliteLog(join(folder, 'log.db'), { [TOPICS.work]: 8, [TOPICS.events]: 8, [TOPICS.deadLetters]: 1 }, clock, unobserved);
if (opened.kind !== 'open') throw new Error('the log could not be opened');
const { log } = opened;
const store = openSqliteStore(join(folder, 'store.db'), unobserved);
const say = (what: object): void => void process.stdout.write(`${JSON.stringify(what)}\n`);
const mebibytes = (): number => Math.round(process.memoryUsage.rss() / 2 ** 20);

const lateMs: number[] = [];
const fired = new Set<string>();
let dueAt = Number.POSITIVE_INFINITY;
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
  ...{ decider: taskDecider as AnyDecider, decode: decodeWork, encode: encodeWork, encodeEvent: jsonEvents.encode },
});

function note({ value, key }: LogRecord): void {
  const { timestamp, metadata } = JSON.parse(Buffer.from(value).toString());
  fired.add(key);
  lateMs.push(Date.parse(timestamp) - Date.parse(metadata.scheduledFor));
}

if (mode === 'fill') {
  const startedAt = clock.now();
  dueAt = startedAt + leadMs;
  await closedLoop(count / CHUNK, 4, async (chunk) => {
    const records = Array.from({ length: CHUNK }, (_, i) => encodeWork(creation(chunk * CHUNK + i, dueAt)));
    await log.append(TOPICS.work, records);
  });
  while ((await log.lag(TOPICS.work, WORKER_GROUP)) > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  say({ pending: count, tookMs: clock.now() - startedAt, beforeFirstDueMs: dueAt - clock.now(), rssMiB: mebibytes() });
}

if (mode === 'resume') {
  for (let i = 0; i < count; i++) if ((await store.events.count(`bench/t${i}`, { types: ['TaskTriggered'] })) > 0) fired.add(`bench/t${i}`);
}

/** Due times in shuffled order: 7919 is prime, so the multiples meet every slot once. */
function creation(i: number, from: number): Command {
  const at = new Date(from + Math.floor((((i * 7_919) % count) * spreadMs) / count)).toISOString();
  const body = { type: 'bench', schedule: { strategy: 'at', at } } as const;
  const actor = { id: 'bench', type: 'user' } as const;
  return {
    commandId: `create-${i}`,
    tenantId: 'bench',
    taskId: `t${i}`,
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
  if (option === 'only-hold') break;
  say({ fired: fired.size });
  await new Promise((resolve) => setTimeout(resolve, 250));
}
say({ done: true, fired: fired.size, late: percentiles(lateMs), earliestMs: lateMs.reduce((a, b) => Math.min(a, b), 0), rssMiB: peakMiB });
await worker.stop();
const twice: string[] = [];
for (let i = 0; i < count; i += Math.max(1, Math.floor(count / 20_000))) {
  const triggers = await store.events.count(`bench/t${i}`, { types: ['TaskTriggered'] });
  if (triggers !== (option === 'only-hold' ? 0 : 1)) twice.push(`t${i}: ${triggers}`);
}
say({ checked: true, wrong: twice.slice(0, 10) });
await log.close();
await store.close();
process.exit(twice.length === 0 ? 0 : 1);
