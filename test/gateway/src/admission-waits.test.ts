import { fingerprint } from '@retrigger/domain/idempotency.ts';
import { refused } from '@retrigger/domain/refusal.ts';
import { CommandAdmission, type Submission } from '@retrigger/engine/admit-command.ts';
import type { Snapshot } from '@retrigger/ports/snapshot-store.ts';
import { beforeEach, describe, expect, test } from 'vitest';
import { ACCEPTED, LIMITS, startAdmission, submission } from './admission-world.ts';
import { settled } from './fakes.ts';

describe('waiting for the outcome', () => {
  let world: ReturnType<typeof startAdmission>;
  beforeEach(() => {
    world = startAdmission();
  });

  test('an answer that can’t be told is found in its receipt within a look or two, long before the wait ends (G3)', async () => {
    world.answers.expect = () => Promise.reject(new Error('nobody can tell'));
    world.append = async () => {};
    const waiting = world.admission.admit(submission('a', { waitMs: 60_000 }));
    await settled();
    world.clock.advance(100);
    await settled();
    for (const command of world.appended) world.decide(command);
    world.clock.advance(100);
    expect(await waiting).toEqual({ kind: 'decided', outcome: ACCEPTED, replayed: false });
    await settled();
    expect(world.admission.load, 'it is not in flight any more').toBe(0);
  });

  test('a receipt is told only when every reader sees what it is about (V1)', async () => {
    world.answers.answer = () => {};
    world.append = async (command) => {
      world.decide(command);
      const receipt = world.receipts.get('a');
      if (receipt !== undefined) world.receipts.set('a', { ...receipt, sequence: 2 });
    };
    const snapshotAt = (sequence: number) => world.snapshots.set('default/t', { head: { sequence } } as Snapshot);
    snapshotAt(1);
    let told: unknown;
    const waiting = world.admission.admit(submission('a', { waitMs: 60_000 })).then((admission) => {
      told = admission;
    });
    for (let look = 0; look < 5; look++) {
      await settled();
      world.clock.advance(100);
    }
    await settled();
    expect(told).toBeUndefined();
    snapshotAt(2);
    world.clock.advance(100);
    await waiting;
    expect(told).toEqual({ kind: 'decided', outcome: ACCEPTED, replayed: false });
  });

  test('a repeat too is told only when every reader sees what it is about, and is handed in no second time (V1)', async () => {
    await world.admission.admit(submission('a'));
    await settled();
    const receipt = world.receipts.get('a');
    if (receipt !== undefined) world.receipts.set('a', { ...receipt, sequence: 2 });
    expect(await world.admission.admit(submission('a', { waitMs: 0 }))).toEqual({ kind: 'pending', acceptedAt: receipt?.position.at });
    const waiting = world.admission.admit(submission('a', { waitMs: 60_000 }));
    await settled();
    world.snapshots.set('default/t', { head: { sequence: 2 } } as Snapshot);
    world.clock.advance(100);
    expect(await waiting).toMatchObject({ kind: 'decided', outcome: ACCEPTED });
    expect([world.appended.length, world.userCharged()]).toEqual([1, 1]);
  });

  test.each([false, true])('a lost refusal that binds no repeat is found, unless this may be a repeat (%s)', async (isRepeatable) => {
    world.answers.answer = () => {};
    world.append = async (command) => world.decide(command, refused('forbidden', 'no'));
    const waiting = world.admission.admit(submission('a', { isRepeatable, roles: ['viewer'] }));
    await settled();
    world.clock.advance(2_000);
    expect(await waiting).toMatchObject(isRepeatable ? { kind: 'pending' } : { kind: 'decided', outcome: { kind: 'refused' } });
  });

  test('a receipt of another request under the same id is no answer to this one', async () => {
    world.answers.answer = () => {};
    world.append = async (command) => world.decide({ ...command, fingerprint: fingerprint({ triggerReason: 'theirs' }) });
    const waiting = world.admission.admit(submission('a', { body: { triggerReason: 'mine' } }));
    await settled();
    world.clock.advance(100);
    expect(await waiting).toMatchObject({ outcome: { kind: 'refused', refusal: { code: 'idempotency_key_reused' } } });
  });

  test('what the world does not allow is refused with the door’s own problem, free of charge; a repeat of what was decided is not asked', async () => {
    let problem: string | undefined = 'its time is past';
    const strict = new CommandAdmission<string>(world.ports, { limitsFor: () => LIMITS, maxInFlight: 2, maxUndecided: 0 });
    const asked = { ...submission('a'), check: async () => problem } as Submission<string>;
    expect(await strict.admit(asked)).toEqual({ kind: 'invalid', problem });
    expect([world.appended.length, world.userCharged(), strict.load]).toEqual([0, 0, 0]);
    problem = undefined;
    expect(await strict.admit(asked)).toMatchObject({ kind: 'decided', replayed: false });
    problem = 'its time is past';
    await settled();
    expect(await strict.admit(asked)).toMatchObject({ kind: 'decided', replayed: true });
  });

  test('whoever serves the caller may leave: the wait ends at once', async () => {
    world.append = async () => {};
    const leaving = new AbortController();
    const waiting = world.admission.admit(submission('a', { leaving: leaving.signal }));
    await settled();
    leaving.abort();
    expect(await waiting).toMatchObject({ kind: 'pending' });
    expect(await world.admission.admit(submission('b', { leaving: leaving.signal }))).toMatchObject({ kind: 'pending' });
  });
});
