import { type CommandLimits, limitsOf } from '@retrigger/engine/command-limits.ts';
import { type Charged, chargedSince, openWindows } from '@retrigger/engine/refill-limits.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const NOW = 1_800_000_000_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const LIMITS: CommandLimits = { userPerHour: 5, taskPerHour: 3, systemPerMinute: 100, tenantPerMinute: 50 };

const charged = (agoMs: number, cost = 1, taskId = 't', user = 'ann', tenantId = 'default'): Charged => ({
  command: { tenantId, taskId, actor: { id: user, type: 'user' } },
  cost,
  at: NOW - agoMs,
});
const windows = (all: Charged[], limitsFor = (_tenantId: string) => LIMITS) =>
  Object.fromEntries(openWindows(all, limitsFor, NOW).map(({ limit, used, endsAt }) => [limit.name, { used, endsInMs: endsAt - NOW }]));

describe('limits made anew from the log', () => {
  test('each window holds what was charged within its length, and ends that long after the first of it', () => {
    expect(windows([charged(HOUR_MS), charged(40 * MINUTE_MS, 2), charged(30_000)])).toEqual({
      task: { used: 3, endsInMs: 20 * MINUTE_MS },
      user: { used: 3, endsInMs: 20 * MINUTE_MS },
      tenant: { used: 1, endsInMs: 30_000 },
      system: { used: 1, endsInMs: 30_000 },
    });
  });

  test('users, tasks and tenants count apart; each tenant by its own limits', () => {
    const all = [charged(2, 1, 'a'), charged(1, 1, 'b'), charged(1, 1, 'a', 'bob'), charged(1, 1, 'a', 'ann', 'other')];
    const limitsFor = (tenantId: string) => (tenantId === 'other' ? { ...LIMITS, userPerHour: 0 } : LIMITS);
    const found = openWindows(all, limitsFor, NOW).map(({ limit, used }) => [limit.key, used]);
    expect(Object.fromEntries(found)).toEqual({
      'task:default/a': 2,
      'task:default/b': 1,
      'task:other/a': 1,
      'user:default/ann': 2,
      'user:default/bob': 1,
      'tenant:default': 3,
      'tenant:other': 1,
      system: 4,
    });
  });

  test('a record from the future, as after a clock that was set back, holds nobody longer than a window', () => {
    expect(windows([charged(-5 * HOUR_MS)]).user).toEqual({ used: 1, endsInMs: HOUR_MS });
  });

  test('what is asked of the log reaches back to the longest window', () => {
    expect(chargedSince(NOW)).toBe(NOW - HOUR_MS);
  });

  test('Y1: whatever was charged and whenever the process ends, no window that goes on holds less than before', () => {
    const history = fc.array(fc.record({ afterMs: fc.nat(20 * MINUTE_MS), cost: fc.integer({ min: 1, max: 3 }) }), { maxLength: 60 });
    fc.assert(
      fc.property(history, fc.nat(2 * HOUR_MS), (steps, laterMs) => {
        const all: Charged[] = [];
        const open = new Map<string, { used: number; endsAt: number }>();
        let at = 0;
        for (const { afterMs, cost } of steps) {
          at += afterMs;
          const one = { ...charged(0, cost), at };
          all.push(one);
          for (const { name, windowMs } of limitsOf(LIMITS, one.command)) {
            const window = open.get(name);
            if (window === undefined || at >= window.endsAt) open.set(name, { used: cost, endsAt: at + windowMs });
            else window.used += cost;
          }
        }
        const now = at + laterMs;
        const refilled = new Map(openWindows(all, () => LIMITS, now).map((window) => [window.limit.name, window]));
        for (const [name, { used, endsAt }] of open) if (endsAt > now) expect(refilled.get(name)?.used).toBeGreaterThanOrEqual(used);
      }),
    );
  });
});
