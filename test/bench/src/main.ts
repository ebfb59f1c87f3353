// npm run bench [-- --count 10000 --runs 3 --out results.json]
// Measures the embedded profile and, in the same run, the raw limits beside it. Machines are noisy: compare ratios within one run.
import { writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { type BulkFigures, measureBulks } from './bulks.ts';
import { bareAppend, bareHttp } from './limits.ts';
import { median, type Percentiles } from './load.ts';
import { measureTriggers, type TriggerFigures } from './triggers.ts';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '10000' },
    runs: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '10' },
    out: { type: 'string' },
  },
});
const [count, runs, seconds] = [Number(values.count), Number(values.runs), Number(values.seconds)];
const RATE = 200;
const BULKS = 40;

type Run = TriggerFigures & BulkFigures & { bareHttpPerSecond: number; bareAppendPerSecond: number };
const results: Run[] = [];
for (let run = 1; run <= runs; run++) {
  process.stdout.write(`run ${run} of ${runs} …\n`);
  const [bareHttpPerSecond, bareAppendPerSecond] = [await bareHttp(count), await bareAppend(count)];
  results.push({
    bareHttpPerSecond,
    bareAppendPerSecond,
    ...(await measureTriggers(count, RATE, seconds)),
    ...(await measureBulks(BULKS, RATE, seconds)),
  });
}

const middle = (pick: (run: Run) => number): number => median(results.map(pick));
const times = (pick: (run: Run) => Percentiles): string =>
  (['p50', 'p95', 'p99'] as const).map((p) => middle((run) => pick(run)[p]).toFixed(1)).join(' / ');
const [http, append] = [middle((run) => run.bareHttpPerSecond), middle((run) => run.bareAppendPerSecond)];
const slowest = Math.min(http, append);
const share = (value: number): string => `${Math.round((100 * value) / slowest)} %`;
const rate = (label: string, value: number): string[] => [label, `${value}/s`, share(value)];

const rows = [
  rate('limit: bare Hono, same route, validated', http),
  rate('limit: bare group-commit append', append),
  rate(
    'tasks created, 64 in flight',
    middle((run) => run.createdPerSecond),
  ),
  rate(
    'triggers accepted, 64 in flight',
    middle((run) => run.acceptedPerSecond),
  ),
  rate(
    'triggers accepted while targets are called',
    middle((run) => run.acceptedAndCalledPerSecond),
  ),
  rate(
    'triggers completed by HTTP targets',
    middle((run) => run.completedPerSecond),
  ),
  [`accept at ${RATE}/s, P50 / P95 / P99 ms`, times((run) => run.acceptMs), ''],
  [`target called at ${RATE}/s, P50 / P95 / P99 ms`, times((run) => run.startMs), ''],
  ['bulk of 100, best effort, P50 / P95 / P99 ms', times((run) => run.bestEffortMs), ''],
  ['bulk of 100, all or nothing, P50 / P95 / P99 ms', times((run) => run.allOrNothingMs), ''],
  [`trigger at ${RATE}/s alone, P50 / P95 / P99 ms`, times((run) => run.singleMs), ''],
  ['the same beside bulks of 1,000', times((run) => run.singleBesideBulksMs), ''],
  ['bulk of 1,000, all or nothing, beside them', times((run) => run.largeMs), ''],
  ['calls of a target that were not the first', String(middle((run) => run.duplicateCalls)), ''],
];
const machine = { cpu: cpus()[0]?.model, cores: cpus().length, memoryGiB: Math.round(totalmem() / 2 ** 30), node: process.version };
process.stdout.write(`\n${JSON.stringify(machine)}; medians of ${runs} runs of ${count}; share = of the slower limit\n\n`);
for (const row of rows) process.stdout.write(`${(row[0] ?? '').padEnd(46)}${(row[1] ?? '').padStart(20)}${(row[2] ?? '').padStart(8)}\n`);
if (values.out !== undefined) writeFileSync(values.out, JSON.stringify({ machine, count, results }, null, 2));
