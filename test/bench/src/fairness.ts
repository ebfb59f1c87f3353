// npm run bench:fairness [-- --seconds 10 --runs 3 --slice 200]
// What tenant B waits on a partition where tenant A has as much undecided as it may. The embedded profile's log, store and worker behind the law of the door.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { jsonEvents } from '@retrigger/contract/event-codec.ts';
import { decodeWork, encodeWork } from '@retrigger/contract/work-record.ts';
import type { Command } from '@retrigger/domain/command.ts';
import { fingerprint } from '@retrigger/domain/idempotency.ts';
import { taskKey } from '@retrigger/domain/identifiers.ts';
import { taskDecider } from '@retrigger/domain/task/decider.ts';
import { CommandAdmission } from '@retrigger/engine/admit-command.ts';
import type { AnyDecider } from '@retrigger/engine/aggregate.ts';
import { systemClock as clock } from '@retrigger/lifecycle/system-clock.ts';
import { MemoryAnswers } from '@retrigger/memory/memory-answers.ts';
import { MemoryLimiter } from '@retrigger/memory/memory-limiter.ts';
import { TOPICS } from '@retrigger/ports/log.ts';
import { silent as observer } from '@retrigger/ports/observer.ts';
import { unobserved as reached } from '@retrigger/ports/reached.ts';
import { openSqliteLog } from '@retrigger/sqlite/sqlite-log.ts';
import { openSqliteStore } from '@retrigger/sqlite/sqlite-store.ts';
import { createWorker } from '@retrigger/worker/worker.ts';
import { median, now, openLoop, type Percentiles, percentiles, perSecond } from './load.ts';

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '10' }, runs: { type: 'string', default: '3' }, slice: { type: 'string' } },
});
const [seconds, runs] = [Number(values.seconds), Number(values.runs)];
/** The default of RETRIGGER_LIMIT_TENANT_UNDECIDED. */
const QUOTA = 1_000;
const RATE_OF_B = 20;
const LIMITS = { userPerHour: 0, taskPerHour: 0, systemPerMinute: 0, tenantPerMinute: 0 };

type Figures = { alone: Percentiles; beside: Percentiles; perSecondOfA: number };

async function measure(): Promise<Figures> {
  const folder = mkdtempSync(join(tmpdir(), 'retrigger-fairness-'));
  const opened = openSqliteLog(join(folder, 'log.db'), { [TOPICS.work]: 8, [TOPICS.events]: 8, [TOPICS.deadLetters]: 1 }, clock, reached);
  if (opened.kind === 'mismatch') throw new Error('mismatch');
  const { log } = opened;
  const store = openSqliteStore(join(folder, 'store.db'), reached);
  const answers = new MemoryAnswers(clock);
  const limiter = new MemoryLimiter();
  const worker = await createWorker(
    {
      ...{ ...store, log, answers, clock, observer, reached },
      ...{ encode: encodeWork, decode: decodeWork, encodeEvent: jsonEvents.encode, decider: taskDecider as AnyDecider },
    },
    values.slice === undefined ? {} : { sliceRecords: Number(values.slice) },
  );
  const seal = async <C extends Command>(command: C): Promise<C> => command;
  const ports = { ...store, log, answers, limiter, clock, observer, seal, encode: encodeWork, lag: { ageMs: () => 0, oldestMs: () => 0 } };
  const admission = new CommandAdmission(ports, { limitsFor: () => LIMITS, maxInFlight: 10_000, maxUndecided: QUOTA });
  let ids = 0;
  /** Hands in a creation of a task on partition 0 and waits for its outcome. */
  const create = async (tenantId: string): Promise<string> => {
    let taskId: string;
    do taskId = `task-${++ids}`;
    while (log.partitionOf(TOPICS.work, taskKey(tenantId, taskId)) !== 0);
    const body = { type: 'bench', context: { x: 'x'.repeat(100) } };
    const { kind } = await admission.admit({
      command: {
        ...{ commandId: `c-${ids}`, tenantId, taskId, actor: { id: 'somebody', type: 'user' }, roles: ['admin'], correlationId: 'r' },
        ...{ type: 'CreateTask', body, fingerprint: fingerprint(body) },
      },
      ...{ isRepeatable: false, cost: 0, waitMs: 60_000 },
    });
    return kind;
  };
  const b = async () => percentiles(await openLoop(RATE_OF_B, RATE_OF_B * seconds, async () => expectDecided(await create('b'))));
  try {
    await b();
    const alone = await b();
    let isRunning = true;
    let decided = 0;
    const busy = Array.from({ length: QUOTA + 1 }, async () => {
      while (isRunning) {
        if ((await create('a')) === 'decided') decided++;
        else await new Promise((resolve) => setTimeout(resolve, 5));
      }
    });
    const from = now();
    const beside = await b();
    isRunning = false;
    await Promise.all(busy);
    return { alone, beside, perSecondOfA: perSecond(decided, now() - from) };
  } finally {
    await worker.stop();
    await log.close();
    await store.close();
    await Promise.all([answers.close(), limiter.close()]);
    rmSync(folder, { recursive: true });
  }
}

function expectDecided(kind: string): void {
  if (kind !== 'decided') throw new Error(`B was told ${kind}`);
}

const results: Figures[] = [];
for (let run = 0; run < runs; run++) results.push(await measure());
const times = (pick: (figures: Figures) => Percentiles): string =>
  (['p50', 'p95', 'p99', 'max'] as const).map((p) => median(results.map((one) => pick(one)[p])).toFixed(1)).join(' / ');
process.stdout.write(`B alone, P50 / P95 / P99 / max ms: ${times(({ alone }) => alone)}\n`);
process.stdout.write(`B beside A with ${QUOTA} undecided:    ${times(({ beside }) => beside)}\n`);
process.stdout.write(`A decided per second: ${median(results.map(({ perSecondOfA }) => perSecondOfA))}\n`);
