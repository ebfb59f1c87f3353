import type { Leases } from '@retrigger/ports/leases.ts';
import { describe, expect, onTestFinished, test } from 'vitest';
import { eventually, unique } from './eventually.ts';

export type LeasesAdapter = {
  /** Two on the same leases: two processes' where the technology has processes, else the same one twice. */
  open(): Promise<{ leases: Leases; other: Leases; close(): Promise<void> }>;
  timeoutMs: number;
};

const HOUR_MS = 3_600_000;

/** The leases port's definition: H1, H2. */
export function leasesContract(name: string, adapter: LeasesAdapter): void {
  const open = async (): Promise<{ leases: Leases; other: Leases; lease: string }> => {
    const { close, ...both } = await adapter.open();
    onTestFinished(close);
    return { ...both, lease: unique('lease') };
  };

  describe(`${name} leases`, { timeout: adapter.timeoutMs * 2 }, () => {
    test('whoever comes first has the name, and everybody is told so (H1)', async () => {
      const { leases, other, lease } = await open();
      expect(await leases.take(lease, 'ann', HOUR_MS)).toBe('ann');
      expect(await other.take(lease, 'bob', HOUR_MS)).toBe('ann');
      expect(await other.take(lease, 'ann', HOUR_MS)).toBe('ann');
      expect(await other.take(unique('another'), 'bob', HOUR_MS)).toBe('bob');
    });

    test('of many at once, from two sides, one has the name (H1)', async () => {
      const { leases, other, lease } = await open();
      const told = await Promise.all(
        Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? leases : other).take(lease, `holder-${i}`, HOUR_MS)),
      );
      expect(new Set(told).size).toBe(1);
    });

    test('its holder ends it, and nobody else does (H2)', async () => {
      const { leases, other, lease } = await open();
      await leases.take(lease, 'ann', HOUR_MS);
      await other.end(lease, 'bob');
      expect(await leases.take(lease, 'bob', HOUR_MS)).toBe('ann');
      await other.end(lease, 'ann');
      await other.end(lease, 'ann');
      expect(await leases.take(lease, 'bob', HOUR_MS)).toBe('bob');
    });

    test('it ends with its time', async () => {
      const { leases, other, lease } = await open();
      await leases.take(lease, 'ann', 200);
      await eventually('bob has it', adapter.timeoutMs, async () => (await other.take(lease, 'bob', HOUR_MS)) === 'bob');
    });

    test('its holder prolongs it by taking it again', async () => {
      const { leases, other, lease } = await open();
      const brief = unique('brief');
      await leases.take(lease, 'ann', 200);
      await leases.take(lease, 'ann', HOUR_MS);
      await leases.take(brief, 'ann', 250);
      await eventually(
        'a lease that was longer at first is over',
        adapter.timeoutMs,
        async () => (await other.take(brief, 'bob', 1)) === 'bob',
      );
      expect(await other.take(lease, 'bob', HOUR_MS)).toBe('ann');
    });
  });
}
