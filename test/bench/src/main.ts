// npm run bench [-- --count 10000 --runs 3 --rate 200 --seconds 10 --only triggers,pages --out results.json]
// npm run bench -- --peers [the options of bench:peers]
// Measures the embedded profile over HTTP and, in the same run, the raw limits beside it. Machines are noisy: compare ratios within one run.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { measureBulks } from './bulks.ts';
import { measureDuplicates, measureExecutions, measureReschedules } from './executions.ts';
import { bareAppend, bareHttp, bareStore } from './limits.ts';
import { machine, watchMachine } from './machine.ts';
import { mainReport } from './main-report.ts';
import { measurePages } from './pages.ts';
import type { Figures } from './table.ts';
import { measureTriggers } from './triggers.ts';

if (process.argv.includes('--peers')) {
  process.argv.splice(process.argv.indexOf('--peers'), 1);
  await import('./peers.ts');
} else await main();

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      count: { type: 'string', default: '10000' },
      runs: { type: 'string', default: '3' },
      rate: { type: 'string', default: '200' },
      seconds: { type: 'string', default: '10' },
      events: { type: 'string', default: '100000' },
      only: { type: 'string' },
      out: { type: 'string' },
    },
  });
  const [count, runs, rate, seconds] = [Number(values.count), Number(values.runs), Number(values.rate), Number(values.seconds)];
  const only = values.only?.split(',');
  const results: Figures[] = [];
  for (let run = 1; run <= runs; run++) {
    const watched = watchMachine();
    const figures: Figures = {};
    const measure = async (part: string, one: () => Promise<Figures>): Promise<void> => {
      if (only !== undefined && !only.includes(part)) return;
      process.stderr.write(`run ${run} of ${runs}: ${part}\n`);
      figures[part] = await one();
    };
    await measure('triggers', () => measureTriggers(count, rate, seconds));
    const batchSize = batchSizeOf(figures);
    figures.limits = {
      httpPerSecond: await bareHttp(count),
      appendPerSecond: await bareAppend(count),
      storePerSecond: await bareStore(count, batchSize),
      batchSize,
    };
    await measure('executions', () => measureExecutions(count, rate, seconds));
    await measure('reschedules', () => measureReschedules(count, rate, seconds));
    await measure('duplicates', () => measureDuplicates(Math.round(count / 4)));
    await measure('bulks', () => measureBulks(Math.max(20, Math.round(count / 250)), rate, seconds));
    await measure('pages', () => measurePages(Number(values.events)));
    figures.machine = watched();
    results.push(figures);
  }
  process.stdout.write(mainReport(results, { ...machine(), runs, count, rate }));
  if (values.out !== undefined) writeFileSync(values.out, JSON.stringify({ machine: machine(), options: values, results }, null, 2));
}

/** What the worker's batches really were, for the store's limit; 8 when triggers are left out. */
function batchSizeOf({ triggers }: Figures): number {
  const size = typeof triggers === 'object' ? triggers.batchSize : undefined;
  return typeof size === 'number' && size >= 1 ? Math.round(size) : 8;
}
