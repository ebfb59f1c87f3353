import type { Command } from '@retrigger/domain/command.ts';
import { wakeCommand } from '@retrigger/domain/task/react.ts';
import { type Settled, WakeUps } from '@retrigger/engine/wake-ups.ts';
import type { Log, NewRecord } from '@retrigger/ports/log.ts';
import { silent } from '@retrigger/ports/observer.ts';
import type { Due } from '@retrigger/ports/snapshot-store.ts';
import { describe, expect, test } from 'vitest';
import { FakeStores, fakeSnapshots } from './fake-stores.ts';
import { ManualClock } from './manual-clock.ts';
import { encode, MORNING } from './owner.ts';

const KEY = 'acme/deploy';

type Sent = { at: number; wakeAt: number; silentSince: number | null };

/** The due times of partition 0. Times are milliseconds after the beginning. */
class Trial {
  readonly clock = new ManualClock(MORNING);
  readonly sent: Sent[] = [];
  readonly wakeUps: WakeUps;
  /** What the store says is due. */
  due: () => Promise<Due[]> = () => Promise.resolve([]);
  isLogDown = false;

  constructor() {
    const append = async (_topic: string, records: NewRecord[]) => {
      if (this.isLogDown) throw new Error('no log');
      for (const { value } of records) this.#note(JSON.parse(Buffer.from(value).toString()));
    };
    this.wakeUps = new WakeUps({
      log: { append } as Partial<Log> as Log,
      snapshots: { ...fakeSnapshots(new FakeStores(), () => Promise.resolve()), due: () => this.due() },
      ...{ clock: this.clock, observer: silent, encode },
      wake: (key, wakeAt, silentSince, sentAt) => wakeCommand('acme', key.slice(5), wakeAt, silentSince, sentAt),
    });
  }

  #note(command: Command): void {
    if (command.type !== 'Wake') throw new Error(`${command.type} is sent`);
    const { wakeAt, silentSince } = command.body;
    this.sent.push({ at: this.now, wakeAt: wakeAt - MORNING, silentSince: silentSince === null ? null : silentSince - MORNING });
  }

  get now(): number {
    return this.clock.now() - MORNING;
  }

  get times(): number[] {
    return this.sent.map(({ at }) => at);
  }

  settle(wakeAt: number | null, more: Partial<Settled> = {}): void {
    const dueAt = wakeAt === null ? null : MORNING + wakeAt;
    this.wakeUps.settle({ key: KEY, partition: 0, wakeAt: dueAt, wakeKind: 'due', dueAt, landedAt: null, hasChanged: true, ...more });
  }

  /** Its Wake was decided, by the log's clock so much after the beginning, and nothing came of it. */
  landed(at: number, wakeAt: number, more: Partial<Settled> = {}): void {
    this.settle(wakeAt, { landedAt: MORNING + at, hasChanged: false, ...more });
  }
}

async function owning(due: Due[] = []): Promise<Trial> {
  const trial = new Trial();
  trial.due = () => Promise.resolve(due);
  await trial.wakeUps.assigned([0]);
  await trial.wakeUps.refill();
  return trial;
}

describe('a due time', () => {
  test('is woken when this clock has reached it, not before', async () => {
    const trial = await owning();
    trial.settle(5_000);
    await trial.clock.advance(4_999);
    expect(trial.sent).toEqual([]);
    await trial.clock.advance(1);
    expect(trial.sent).toEqual([{ at: 5_000, wakeAt: 5_000, silentSince: null }]);
  });

  test('is read at the assignment, and when it comes into the horizon', async () => {
    const trial = await owning([{ key: KEY, wakeAt: MORNING + 3_000, wakeKind: 'due' }]);
    await trial.clock.advance(3_000);
    expect(trial.times).toEqual([3_000]);
    trial.settle(70_000);
    trial.due = () => Promise.resolve([{ key: KEY, wakeAt: MORNING + 70_000, wakeKind: 'due' }]);
    await trial.clock.advance(17_000);
    expect(await trial.wakeUps.refill()).toBe(MORNING + 40_000);
    await trial.clock.advance(50_000);
    expect(trial.times).toEqual([3_000, 70_000]);
  });

  test('that proves early by the log’s clock is armed again for the difference (K3)', async () => {
    const trial = await owning();
    trial.settle(5_000);
    await trial.clock.advance(5_000);
    trial.landed(4_700, 5_000);
    await trial.clock.advance(300);
    expect(trial.times).toEqual([5_000, 5_300]);
  });

  test('that proves early is armed for the difference also when it was read from the store', async () => {
    const trial = await owning([{ key: KEY, wakeAt: MORNING + 5_000, wakeKind: 'due' }]);
    await trial.clock.advance(5_000);
    trial.landed(4_700, 5_000);
    await trial.clock.advance(300);
    expect(trial.times).toEqual([5_000, 5_300]);
  });

  test('has one Wake under way, whatever else is decided, and another after 30 s (K2)', async () => {
    const trial = await owning();
    trial.settle(1_000);
    await trial.clock.advance(2_000);
    trial.settle(1_000);
    trial.settle(1_000, { hasChanged: false });
    await trial.clock.advance(28_999);
    expect(trial.times).toEqual([1_000]);
    await trial.clock.advance(1);
    expect(trial.times).toEqual([1_000, 31_000]);
  });

  test('that is still there after a Wake had effect is woken again at once', async () => {
    const trial = await owning();
    trial.settle(1_000);
    await trial.clock.advance(1_000);
    trial.settle(1_000, { landedAt: MORNING + 1_001 });
    await trial.clock.advance(0);
    expect(trial.times).toEqual([1_000, 1_000]);
  });

  test('of what waits for others is looked at every 30 s', async () => {
    const trial = await owning();
    trial.settle(1_000, { wakeKind: 'check' });
    await trial.clock.advance(1_000);
    trial.landed(1_000, 1_000, { wakeKind: 'check' });
    await trial.clock.advance(30_000);
    trial.landed(31_000, 1_000, { wakeKind: 'check' });
    await trial.clock.advance(30_000);
    expect(trial.times).toEqual([1_000, 31_000, 61_000]);
  });

  test('is tried again a second after an append that failed', async () => {
    const trial = await owning();
    trial.isLogDown = true;
    trial.settle(1_000);
    await trial.clock.advance(1_500);
    trial.isLogDown = false;
    await trial.clock.advance(500);
    expect(trial.times).toEqual([2_000]);
  });

  test('that is gone, or another’s, is woken no more', async () => {
    const trial = await owning();
    trial.settle(1_000);
    trial.settle(null);
    await trial.clock.advance(2_000);
    trial.settle(3_000);
    trial.wakeUps.revoked([0]);
    trial.settle(4_000);
    await trial.clock.advance(60_000);
    expect(trial.sent).toEqual([]);
  });

  test('that was decided while the store was read counts, not what was read (K6)', async () => {
    const trial = await owning();
    let answer: (due: Due[]) => void = () => {};
    trial.due = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    const refilled = trial.wakeUps.refill();
    trial.settle(2_000);
    answer([{ key: KEY, wakeAt: MORNING + 50_000, wakeKind: 'due' }]);
    await refilled;
    await trial.clock.advance(2_000);
    expect(trial.times).toEqual([2_000]);
  });

  test('has Wakes with ids of their own, for each may lead to an event', () => {
    const ids = [1, 2].map((sentAt) => wakeCommand('acme', 'deploy', MORNING, null, sentAt).commandId);
    expect(new Set(ids).size).toBe(2);
  });
});

describe('silence of an executor', () => {
  const beating = { wakeKind: 'heartbeat', dueAt: null } as const;

  test('is counted from its last heartbeat (K5)', async () => {
    const trial = await owning();
    trial.settle(50_000, beating);
    await trial.clock.advance(40_000);
    trial.wakeUps.heartbeat(KEY, MORNING + 40_000);
    await trial.clock.advance(59_999);
    expect(trial.sent).toEqual([]);
    await trial.clock.advance(1);
    expect(trial.sent).toEqual([{ at: 100_000, wakeAt: 50_000, silentSince: 40_000 }]);
  });

  test('is forgiven for one full time-out after an assignment', async () => {
    const trial = new Trial();
    await trial.clock.advance(50_000);
    await trial.wakeUps.assigned([0]);
    trial.settle(50_000, beating);
    await trial.clock.advance(59_999);
    expect(trial.sent).toEqual([]);
    await trial.clock.advance(1);
    expect(trial.sent).toEqual([{ at: 110_000, wakeAt: 50_000, silentSince: 50_000 }]);
  });

  test('does not hide a deadline: that is woken in its time while heartbeats go on', async () => {
    const trial = await owning();
    trial.settle(50_000, { ...beating, dueAt: MORNING + 90_000 });
    for (let beat = 15_000; beat < 90_000; beat += 15_000) {
      await trial.clock.advance(15_000);
      trial.wakeUps.heartbeat(KEY, MORNING + beat);
      trial.settle(50_000, { ...beating, dueAt: MORNING + 90_000, hasChanged: false });
    }
    expect(trial.sent).toEqual([]);
    await trial.clock.advance(15_000);
    expect(trial.times).toEqual([90_000]);
  });

  test('does not hide a deadline that a patch has set meanwhile', async () => {
    const trial = await owning();
    trial.settle(50_000, beating);
    await trial.clock.advance(70_000);
    trial.wakeUps.heartbeat(KEY, MORNING + 69_000);
    trial.settle(50_000, { ...beating, dueAt: MORNING + 80_000 });
    const before = trial.sent.length;
    await trial.clock.advance(10_000);
    expect(trial.times.slice(before)).toEqual([80_000]);
  });

  test('does not hide a deadline that proves early by the log’s clock', async () => {
    const trial = await owning();
    const both = { ...beating, dueAt: MORNING + 70_000 };
    trial.settle(50_000, both);
    trial.wakeUps.heartbeat(KEY, MORNING + 20_000);
    await trial.clock.advance(70_000);
    trial.landed(69_900, 50_000, both);
    await trial.clock.advance(100);
    expect(trial.times).toEqual([70_000, 70_100]);
  });

  test('is remembered while recurring runs are left out', async () => {
    const trial = await owning();
    trial.wakeUps.heartbeat(KEY, MORNING + 5_000);
    trial.settle(10_000);
    trial.settle(20_000);
    trial.settle(30_000, beating);
    expect(trial.wakeUps.silentSince(KEY, 0)).toBe(MORNING + 5_000);
  });
});

test('the lag is that of the oldest due time; who waits for others is not late', async () => {
  const trial = await owning();
  expect(trial.wakeUps.oldestLagMs()).toBe(0);
  trial.settle(1_000);
  trial.settle(500, { key: 'acme/waiting', wakeKind: 'check' });
  await trial.clock.advance(4_000);
  expect(trial.wakeUps.oldestLagMs()).toBe(3_000);
  trial.wakeUps.stop();
});
