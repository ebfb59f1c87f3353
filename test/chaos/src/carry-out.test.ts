import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { carryOut } from './carry-out.ts';
import type { Planned } from './plan.ts';

const fault = (on: string, atMs: number, lastsMs: number): Planned => ({ atMs, kind: 'disk full', on, lastsMs, amount: 0 });

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

/** Carries a plan out and tells in which order things began and ended. To end one on Kafka takes `mendingMs`. */
async function told(plan: Planned[], mendingMs: number): Promise<string[]> {
  const lines: string[] = [];
  const begun = await carryOut(
    plan,
    async ({ on, atMs }) => {
      lines.push(`${on} ${atMs} begins`);
      return async () => {
        if (on === 'kafka') await new Promise((resolve) => setTimeout(resolve, mendingMs));
        lines.push(`${on} ${atMs} ends`);
      };
    },
    (line) => void lines.push(line),
  );
  return [...lines.filter((line) => line.includes('begins') || line.includes('ends') || line.includes('too late')), `${begun} in all`];
}

test('a fault on something that is not mended yet waits for that; another does not', async () => {
  const lines = told([fault('kafka', 0, 1), fault('kafka', 20, 1_000), fault('mongo', 30, 1)], 60);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(await lines).toEqual([
    'kafka 0 begins',
    'mongo 30 begins',
    'mongo 30 ends',
    'kafka 0 ends',
    'kafka 20 begins',
    'kafka 20 ends',
    '3 in all',
  ]);
});

test('one whose own time is over by then does not begin', async () => {
  const lines = told([fault('kafka', 0, 1), fault('kafka', 20, 10)], 600);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(await lines).toEqual(['kafka 0 begins', 'kafka 0 ends', expect.stringContaining('too late'), '1 in all']);
});

test('what can not be begun fails all', async () => {
  const begin = () => Promise.reject(new Error('no disk'));
  const failed = carryOut([fault('kafka', 0, 1), fault('kafka', 90, 1)], begin, () => {});
  const refused = expect(failed).rejects.toThrow('no disk');
  await vi.advanceTimersByTimeAsync(2_000);
  await refused;
});
