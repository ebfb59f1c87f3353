import { supervise } from '@retrigger/lifecycle/supervise.ts';
import { systemClock } from '@retrigger/lifecycle/system-clock.ts';
import type { Clock } from '@retrigger/ports/clock.ts';
import { type Observer, silent } from '@retrigger/ports/observer.ts';
import { expect, test } from 'vitest';
import { handClock } from './hand-clock.ts';

const settled = () => new Promise((resolve) => setImmediate(resolve));

function logging() {
  const lines: string[] = [];
  const observer: Observer = {
    ...silent,
    log: (level, message, fields) => void lines.push(`${level} ${message} ${fields?.failures} ${fields?.pauseMs}`),
  };
  return { lines, observer };
}

test('a step runs again when it said so, and not before', async () => {
  const { clock, moveTo } = handClock();
  const turns: number[] = [];
  const loop = supervise('loop', async () => turns.push(clock.now()) * 1_000, { clock, observer: silent });
  await settled();
  await moveTo(999);
  expect(turns).toEqual([0]);
  await moveTo(1_000);
  await moveTo(2_000);
  expect(turns).toEqual([0, 1_000, 2_000]);
  await loop.stop();
});

test('O1: a throw is logged and tried again, ever later up to 30 s, until a turn succeeds', async () => {
  const { clock, moveTo, pending } = handClock();
  const { lines, observer } = logging();
  let isBroken = true;
  const loop = supervise(
    'loop',
    async () => {
      if (isBroken) throw new Error('no');
      return clock.now() + 7;
    },
    { clock, observer },
  );
  await settled();
  const pauses: number[] = [];
  for (let i = 0; i < 11; i++) {
    const [next = 0] = pending();
    pauses.push(next - clock.now());
    await moveTo(next);
  }
  expect(pauses).toEqual([100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000]);
  expect(lines[1]).toBe('error loop failed; it is tried again 2 200');
  isBroken = false;
  await moveTo(pending()[0] ?? 0);
  expect(pending()).toEqual([clock.now() + 7]);
  isBroken = true;
  await moveTo(clock.now() + 7);
  expect(pending()).toEqual([clock.now() + 100]);
  await loop.stop();
});

test('O1: a step that throws before its first await is no different', async () => {
  const { clock, pending } = handClock();
  const loop = supervise(
    'loop',
    () => {
      throw new Error('at once');
    },
    { clock, observer: silent },
  );
  await settled();
  expect(pending()).toEqual([100]);
  await loop.stop();
});

test('O2, O3: turns never overlap, and a stop waits for the running one and lets none begin', async () => {
  const { clock, moveTo } = handClock();
  let [begun, ended] = [0, 0];
  const gate = Promise.withResolvers<void>();
  let told = false;
  const loop = supervise(
    'loop',
    async (stopping) => {
      begun++;
      stopping.addEventListener('abort', () => {
        told = true;
      });
      await gate.promise;
      ended++;
      return 0;
    },
    { clock, observer: silent },
  );
  await moveTo(1_000_000);
  const stopped = loop.stop();
  expect([begun, ended, told]).toEqual([1, 0, true]);
  gate.resolve();
  await stopped;
  await moveTo(2_000_000);
  expect([begun, ended]).toEqual([1, 1]);
});

test('O3: a stop ends a pause at once and leaves no timer', async () => {
  const { clock, pending } = handClock();
  const loop = supervise('loop', async () => Number.MAX_SAFE_INTEGER, { clock, observer: silent });
  await settled();
  await loop.stop();
  expect(pending()).toEqual([]);
});

test("the system's clock fires once, not early, not before the call returns, and not when cancelled", async () => {
  const at = systemClock.now() + 20;
  let fired = 0;
  const early = systemClock.timer(at, () => {
    throw new Error('cancelled timers do not fire');
  });
  early();
  let isBack = false;
  await new Promise<void>((resolve) => {
    systemClock.timer(systemClock.now() - 1_000, () => {
      expect(isBack).toBe(true);
      systemClock.timer(at, () => {
        fired++;
        resolve();
      });
    });
    isBack = true;
  });
  expect(systemClock.now()).toBeGreaterThanOrEqual(at);
  expect(fired).toBe(1);
});

test("the system's clock holds a time that Node's timers can not", async () => {
  const cancel = systemClock.timer(systemClock.now() + 366 * 86_400_000, () => {
    throw new Error('a year early');
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
  cancel();
});

test('O4: a turn during which the clock is set back puts the next one off no further than it said', async () => {
  const { clock, pending } = handClock();
  let setBy = 0;
  const set: Clock = { now: () => clock.now() + setBy, timer: (at, fire) => clock.timer(at - setBy, fire) };
  const loop = supervise(
    'loop',
    async () => {
      const next = set.now() + 20_000;
      setBy = -300_000;
      return next;
    },
    { clock: set, observer: silent },
  );
  await settled();
  expect(pending()).toEqual([20_000]);
  await loop.stop();
});
