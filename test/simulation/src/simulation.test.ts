import { describe, expect, test } from 'vitest';
import { simulate } from './simulate.ts';

/** `SIMULATION_SEEDS=50000 SIMULATION_FIRST=1` for more or others; one seed alone is `SIMULATION_FIRST=<seed> SIMULATION_SEEDS=1`. */
const count = Number(process.env.SIMULATION_SEEDS ?? 2_000);
const first = Number(process.env.SIMULATION_FIRST ?? 1);

const PER_TEST = 250;
const LAST_STEPS = 150;

/** Runs one seed; what it finds is thrown with the last steps before it. */
async function mustHold(seed: number): Promise<void> {
  const { findings, trace, plan } = await simulate(seed);
  if (findings.length === 0) return;
  throw new Error(
    `seed ${seed} (${plan}):\n${[...new Set(findings)].join('\n')}\n\nits last steps:\n${trace.slice(-LAST_STEPS).join('\n')}`,
  );
}

describe('whatever goes wrong, every promise holds', () => {
  for (let from = first; from < first + count; from += PER_TEST) {
    const until = Math.min(from + PER_TEST, first + count);
    test(`with the seeds from ${from} to ${until - 1}`, async () => {
      for (let seed = from; seed < until; seed++) await mustHold(seed);
    });
  }
});

test('a seed plays the same every time', async () => {
  const [one, again] = [await simulate(7), await simulate(7)];
  expect(again.trace).toEqual(one.trace);
});
