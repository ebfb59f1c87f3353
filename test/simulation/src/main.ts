import { simulate } from './simulate.ts';

/** Replays seeds: `node src/main.ts <first> [<count>]`. */
const [first = 1, count = 1] = process.argv.slice(2).map(Number);
const begun = performance.now();
const tally = new Map<string, number>();
let [steps, events, failed] = [0, 0, 0];
for (let seed = first; seed < first + count; seed++) {
  const result = await simulate(seed);
  steps += result.steps;
  events += result.events;
  if (result.findings.length === 0) continue;
  failed++;
  if (count === 1) console.log(result.trace.join('\n'));
  console.log(`seed ${seed} (${result.plan}):\n  ${[...new Set(result.findings)].slice(0, 6).join('\n  ')}`);
  for (const finding of result.findings.slice(0, 1)) tally.set(finding.replace(/[\d.]+/g, '').slice(0, 60), 1);
}
console.log(`${count} seeds, ${failed} failed, ${steps} steps, ${events} events, ${Math.round(performance.now() - begun)} ms`);
