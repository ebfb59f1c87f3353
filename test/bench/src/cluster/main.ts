// npm run bench:cluster [-- --count 3000 --runs 3 --rate 200 --seconds 10 --warm-up 60 --behind claims,kafka,targets --out results.json]
// The cluster profile on the servers of deploy/local: one of each service, beside bare KafkaJS and bare inserts in as large batches as the store got, in the same run.
// A minute of load comes first in each run (--warm-up, seconds): the servers in Java compile what they run often.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { machine, watchMachine } from '../machine.ts';
import { type Figures, medians, shown, table } from '../table.ts';
import { BEHIND, measureCluster } from './measure.ts';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '3000' },
    runs: { type: 'string', default: '3' },
    rate: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '10' },
    'warm-up': { type: 'string', default: '60' },
    behind: { type: 'string', default: BEHIND.join() },
    out: { type: 'string' },
  },
});
const sizes = {
  count: Number(values.count),
  rate: Number(values.rate),
  seconds: Number(values.seconds),
  warmUp: Number(values['warm-up']),
};
/** Of the slower of bare produce and bare insert; milliseconds. */
const GOALS = { share: 0.5, acceptP95Ms: 50 };

const results: Figures[] = [];
for (let run = 1; run <= Number(values.runs); run++) {
  process.stderr.write(`run ${run} of ${values.runs}\n`);
  const watched = watchMachine();
  const figures = await measureCluster(sizes, values.behind.split(','));
  results.push({ ...figures, machine: watched() });
  if (values.out !== undefined) writeFileSync(values.out, JSON.stringify({ machine: machine(), sizes, results }, null, 2));
}

const middle = medians(results);
const number = (name: string): number => Number(middle.get(name));
const slower = Math.min(number('limits.producePerSecond'), number('limits.insertPerSecond'));
const share = number('triggers.acceptedPerSecond') / slower;
const p95 = number('triggers.acceptMs.p95');
const verdict = (isMet: boolean): string => (isMet ? 'met' : 'missed');
const percent = (part: number): string => `${Math.round(100 * part)} %`;

process.stdout.write(`${JSON.stringify({ ...machine(), ...sizes, runs: values.runs })}\n\n`);
process.stdout.write(
  table([['medians; costs in microseconds of processor time', ''], ...[...middle].map(([name, value]) => [name, shown(value)])]),
);
process.stdout.write(
  `\ngoals\n${table([
    ['', 'is', 'wanted', ''],
    [
      'accepted/s, of the slower of bare produce and bare insert',
      percent(share),
      `>= ${percent(GOALS.share)}`,
      verdict(share >= GOALS.share),
    ],
    [`accept P95 at ${sizes.rate}/s, ms`, shown(p95), `<= ${GOALS.acceptP95Ms}`, verdict(p95 <= GOALS.acceptP95Ms)],
  ])}`,
);
