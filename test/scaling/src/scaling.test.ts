import { describe, expect, test } from 'vitest';
import { BLOCKS, RATES } from './blocks.ts';
import { busiestWorker } from './busiest-worker.ts';
import { blockIn, document, numbersIn } from './numbers.ts';
import { planFor } from './plan.ts';
import { commandsByPartition, hottest, hottestCell, keyOfTask, keyOfTenant, tenantShares } from './skew.ts';
import { percentile, timesWith } from './worker-queue.ts';

const text = document();
const numbers = numbersIn(text);

/** Samples of hundreds of thousands of commands, on machines that do other things too. */
const LONG_MS = 60_000;

describe('deploy/SCALING.md', () => {
  test.each(Object.entries(BLOCKS))('has in its table "%s" what follows from its numbers', { timeout: LONG_MS }, (name, block) => {
    expect(blockIn(text, name)).toBe(block(numbers));
  });

  test.each(RATES)(
    'at %i commands/s no worker is full and nobody waits for one for long, also after one was lost',
    { timeout: LONG_MS },
    (rate) => {
      const plan = planFor(numbers, rate);
      const counts = commandsByPartition(numbers.tenants, plan.partitions, keyOfTask, 2);
      for (const lost of [0, 1]) {
        const load = busiestWorker(numbers, plan, counts, lost);
        expect(load.coreShare).toBeLessThan(0.85);
        expect(percentile(timesWith(load, 2), 0.95)).toBeLessThan(5 * numbers.batchMs);
      }
    },
  );

  test('the largest tenant fits into a cell, and tenants can be placed so that no cell has much more than another', () => {
    const { cells, commandsPerSecond } = planFor(numbers, 1_000_000);
    expect((tenantShares(numbers.tenants)[0] ?? 1) * 1_000_000).toBeLessThan(commandsPerSecond);
    expect(hottestCell(numbers.tenants, cells)).toBeLessThan(1.05);
  });

  test('the key spreads a hot tenant over all partitions', { timeout: LONG_MS }, () => {
    const { partitions } = planFor(numbers, 1_000_000);
    const by = (keyOf: (tenant: number, task: number) => string) => hottest(commandsByPartition(numbers.tenants, partitions, keyOf, 3));
    expect(by(keyOfTask)).toBeLessThan(1.5);
    expect(by(keyOfTenant)).toBeGreaterThan(5);
  });
});

describe('the simulated worker', () => {
  test('keeps a command for a batch when there is nothing else to do', () => {
    const times = timesWith({ rates: [1], recordMs: 1, batchMs: 10, sliceRecords: 50 }, 1);
    expect(percentile(times, 0.5)).toBeCloseTo(11);
  });

  test('falls behind when its partitions ask for more than its thread has', () => {
    const times = timesWith({ rates: [600, 600], recordMs: 1, batchMs: 10, sliceRecords: 50 }, 1);
    expect(percentile(times, 0.95)).toBeGreaterThan(1_000);
  });
});
