// npm run soak [-- --minutes 20 --events-per-minute 10000 --cluster --plant-leak --out results.json]
// A bounded load for long: fails when memory, handles, lag or write-ahead logs grow, or when something acknowledged is not in the history exactly once.
// A cluster's addresses are found as the tests find them: deploy/local/with-cluster.sh npm run soak -- --cluster
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { percentiles } from '../load.ts';
import { startCluster, startEmbedded } from './installation.ts';
import { SoakLoad } from './load.ts';
import { lostOf } from './lost.ts';
import { watchProcessors } from './spent.ts';
import { judge, type Tolerance } from './steady.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '20' },
    'events-per-minute': { type: 'string', default: '10000' },
    cluster: { type: 'boolean', default: false },
    'plant-leak': { type: 'boolean', default: false },
    out: { type: 'string' },
  },
});
const [minutes, eventsPerMinute] = [Number(values.minutes), Number(values['events-per-minute'])];

const SAMPLES = 80;
/** The first samples show caches that fill (SQLite's take 64 MiB each) and are not judged. */
const WARM_UP_SHARE = 0.4;
/** A shorter run ends before the caches are full: its resident memory is shown and not judged. */
const LEAST_MINUTES_FOR_RESIDENT = 15;
const PLANTED_KIB_PER_SECOND = 256;
const QUIET_WITHIN_MS = 120_000;

const TOLERANCES: { [figure: string]: Tolerance } = {
  'heap MiB': { share: 0.1, atLeast: 5 },
  'resident MiB': { share: 0.1, atLeast: 30 },
  'lag records': { share: 0, atLeast: 100 },
  'log.db-wal MiB': { share: 0.5, atLeast: 32 },
  'store.db-wal MiB': { share: 0.5, atLeast: 32 },
};
/** What no sample may pass, however steady. */
const HIGHEST: { [figure: string]: number } = { 'lag records': 1_000, 'log.db-wal MiB': 128, 'store.db-wal MiB': 128 };

/**
 * Handles go up and down with what is under way, so they are compared at rest, before the load and after it. Threads that start late have some of their own, and a
 * cluster's drivers keep as many connections as were needed at once, MongoDB's up to 100.
 */
const MORE_HANDLES = values.cluster ? 116 : 16;
const AT_REST_WITHIN_MS = 20_000;

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1)); // and what it has started ends with it
const soaked = await (values.cluster ? startCluster() : startEmbedded());
const load = new SoakLoad(soaked.url, soaked.key);
const series = new Map<string, number[]>();
const note = (name: string, value: number | null): void => {
  if (value !== null) series.set(name, [...(series.get(name) ?? []), value]);
};

async function lagRecords(): Promise<number> {
  const metrics = await (await fetch(soaked.metricsUrl)).text(); // beside the load, not behind it
  const found = /^work_lag_records(?:\{[^}]*\})? (\S+)/m.exec(metrics);
  if (found === null) throw new Error('the metrics do not tell work_lag_records');
  return Number(found[1]);
}

async function sample(): Promise<void> {
  for (const process of soaked.processes) {
    const { rssMiB, heapMiB } = await process.look();
    note(`${process.name}: heap MiB`, heapMiB);
    note(`${process.name}: resident MiB`, rssMiB);
  }
  note('lag records', await lagRecords());
  for (const [name, size] of Object.entries(soaked.files())) note(`${name} MiB`, size);
}

type Handles = { name: string; resources: number; descriptors: number };

async function handles(): Promise<Handles[]> {
  await load.hangUp();
  return Promise.all(
    soaked.processes.map(async (process) => {
      const { resources, descriptors } = await process.look();
      return { name: process.name, resources, descriptors: descriptors ?? 0 };
    }),
  );
}

/** What each process holds when it has nothing to do, beside what it held before. */
async function handlesLeft(before: Handles[]): Promise<string[]> {
  for (const end = performance.now() + AT_REST_WITHIN_MS; ; ) {
    const now = await handles();
    const isMore = now.map((held, i) =>
      (['resources', 'descriptors'] as const).some((kind) => held[kind] > (before[i]?.[kind] ?? 0) + MORE_HANDLES),
    );
    const isOver = !isMore.includes(true) || performance.now() > end;
    if (!isOver) await new Promise((resolve) => setTimeout(resolve, 500));
    else
      return now.map((held, i) => {
        const told = `${held.name} holds ${held.resources} resources and ${held.descriptors} descriptors at rest, before the load ${before[i]?.resources} and ${before[i]?.descriptors}`;
        if (isMore[i]) failures.push(told);
        return told;
      });
  }
}

/** Takes the samples while `load` runs. */
async function watch<T>(running: Promise<T>): Promise<T> {
  const everyMs = (minutes * 60_000) / SAMPLES;
  let isRunning = true;
  const watched = (async () => {
    for (let due = performance.now() + everyMs; isRunning; due += everyMs) {
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
      if (isRunning) await sample();
    }
  })();
  const done = await running.finally(() => {
    isRunning = false;
  });
  await watched;
  return done;
}

async function untilEnded(count: number): Promise<void> {
  for (const end = performance.now() + QUIET_WITHIN_MS; ((await load.ended()) ?? 0) < count; ) {
    if (performance.now() > end) return; // what is missing is told below
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

const failures: string[] = [];
try {
  await load.createTasks();
  const atRest = await handles();
  if (values['plant-leak']) await soaked.processes[0]?.plantLeak(PLANTED_KIB_PER_SECOND);
  const spentOn = watchProcessors(soaked.processes, cpus().length);
  const startedAt = performance.now();
  const called = await watch(load.run(eventsPerMinute, minutes));
  const took = (performance.now() - startedAt) / 60_000;
  await untilEnded(called.executions.length + called.timers);
  const spent = spentOn();
  const { events, wrong, failed } = await lostOf(called, await load.lines('/api/v1/events?format=jsonl'));
  failures.push(...wrong.slice(0, 20), ...[...called.others].map(([what, times]) => `${times} times answered: ${what}`));

  const rate = Math.round(events / took);
  if (rate < eventsPerMinute) failures.push(`${rate} events a minute, not ${eventsPerMinute}`);
  const print = (line: string) => void process.stdout.write(`${line}\n`);
  print(
    `${cpus()[0]?.model}, ${cpus().length} cores, Node ${process.version}; ${values.cluster ? 'cluster' : 'embedded'}, ${took.toFixed(1)} minutes`,
  );
  const { p50, p95, p99, max } = percentiles(called.latencyMs);
  print(
    `${events} events (${rate} a minute), ${called.executions.length} triggers and ${called.timers} timers acknowledged, ${wrong.length} lost or doubled`,
  );
  print(spent(events));
  for (const [why, times] of failed) print(`${times} executions failed: ${why}`);
  print(`answered after P50 ${p50} / P95 ${p95} / P99 ${p99} / most ${max} ms\n`);
  print('                                     median  highest   growth  allowed');
  const rows = [...series].map(([name, all]) => {
    const figure = name.replace(/^\w+: /, '');
    const tolerance = TOLERANCES[figure];
    const isJudged = tolerance !== undefined && (figure !== 'resident MiB' || minutes >= LEAST_MINUTES_FOR_RESIDENT);
    const verdict = judge(all.slice(Math.floor(all.length * WARM_UP_SHARE)), tolerance ?? { share: 0, atLeast: 0 });
    const limit = HIGHEST[figure] ?? Number.POSITIVE_INFINITY;
    if (isJudged && !verdict.isSteady)
      failures.push(`${name} grows by ${verdict.growth.toFixed(1)}, allowed are ${verdict.allowed.toFixed(1)}`);
    if (verdict.highest > limit) failures.push(`${name} was ${verdict.highest.toFixed(0)}, allowed are ${limit}`);
    const numbers = [verdict.median, verdict.highest, verdict.growth].map((number) => number.toFixed(1).padStart(9));
    print(`${name.padEnd(34)}${numbers.join('')}${(isJudged ? verdict.allowed.toFixed(1) : '-').padStart(9)}`);
    return { name, samples: all, ...verdict };
  });
  for (const held of await handlesLeft(atRest)) print(held);
  if (values.out !== undefined)
    writeFileSync(values.out, JSON.stringify({ events, rate, latency: { p50, p95, p99, max }, rows, failures }, null, 2));
  await load.close();
} finally {
  await soaked.stop().catch((error: Error) => failures.push(error.message));
}
for (const failure of failures) process.stderr.write(`not steady: ${failure}\n`);
process.exit(failures.length === 0 ? 0 : 1);
