import { refused } from '@retrigger/domain/refusal.ts';
import { commandIdOf } from '@retrigger/engine/command-id.ts';
import { beforeEach, describe, expect, test } from 'vitest';
import { ACCEPTED, startAdmission, submission } from './admission-world.ts';
import { settled } from './fakes.ts';

const DAY_MS = 86_400_000;

describe('admission', () => {
  let world: ReturnType<typeof startAdmission>;
  beforeEach(() => {
    world = startAdmission();
  });

  test('appends, waits and gives the worker’s outcome', async () => {
    expect(await world.admission.admit(submission('a'))).toEqual({ kind: 'decided', outcome: ACCEPTED, replayed: false });
    expect(world.appended).toHaveLength(1);
    expect(world.appended[0]?.replyTo).toBe('this-process');
    expect(world.clock.armed, 'only the expectation’s own timer is left').toBe(1);
  });

  test('listens before it appends (G2)', async () => {
    world.append = async (command) => {
      expect(world.answers.isExpected(command.commandId)).toBe(true);
      world.decide(command);
    };
    await world.admission.admit(submission('a'));
    expect(world.appended).toHaveLength(1);
  });

  test('what the caller’s roles don’t permit is handed in for the worker to refuse, free of charge and unchecked (G5)', async () => {
    let checked = 0;
    const check = async () => void checked++ as undefined;
    world.append = async (command) => world.decide(command, refused('forbidden', 'no'));
    expect(await world.admission.admit(submission('a', { roles: ['viewer'], check }))).toMatchObject({
      kind: 'decided',
      outcome: { refusal: { code: 'forbidden' } },
    });
    expect([world.appended.length, world.userCharged(), checked]).toEqual([1, 0, 0]);
  });

  test('sixty twins at once are one record, one charge and one outcome (G1)', async () => {
    world.append = async () => {};
    const all = Array.from({ length: 60 }, () => world.admission.admit(submission('a')));
    await settled();
    for (const command of world.appended) world.decide(command);
    const got = await Promise.all(all);
    expect(world.appended).toHaveLength(1);
    expect(world.userCharged()).toBe(1);
    expect(got.filter((one) => one.kind === 'decided' && !one.replayed)).toHaveLength(1);
    expect(new Set(got.map((one) => one.kind === 'decided' && one.outcome))).toEqual(new Set([ACCEPTED]));
  });

  test('a repeat after the decision is free and appends nothing (G1)', async () => {
    await world.admission.admit(submission('a'));
    await settled();
    expect(await world.admission.admit(submission('a'))).toEqual({ kind: 'decided', outcome: ACCEPTED, replayed: true });
    expect([world.appended.length, world.userCharged()]).toEqual([1, 1]);
  });

  test('without a key no receipt is looked for first', async () => {
    await world.admission.admit(submission('a', { isRepeatable: false }));
    expect(world.looks).toBe(0);
  });

  test('a receipt of a day ago is forgotten', async () => {
    await world.admission.admit(submission('a'));
    await settled();
    world.clock.advance(DAY_MS);
    expect(await world.admission.admit(submission('a'))).toMatchObject({ replayed: false });
    expect(world.appended).toHaveLength(2);
  });

  test.each(['decided', 'in flight'])(
    'another request under the key of one that is %s is refused with the fields that differ',
    async (when) => {
      if (when === 'in flight') world.append = async () => {};
      const first = world.admission.admit(submission('a', { body: { triggerReason: 'one' } }));
      await settled();
      expect(await world.admission.admit(submission('a', { body: { triggerReason: 'two' } }))).toMatchObject({
        outcome: { kind: 'refused', refusal: { code: 'idempotency_key_reused', more: { fields: ['triggerReason'] } } },
        replayed: false,
      });
      expect([world.appended.length, world.userCharged()]).toEqual([1, 1]);
      if (world.appended[0] !== undefined) world.decide(world.appended[0]);
      expect(await first).toMatchObject({ kind: 'decided', outcome: ACCEPTED });
    },
  );

  test('past the wait it is pending; a repeat joins it and costs nothing', async () => {
    world.append = async () => {};
    const first = world.admission.admit(submission('a'));
    await settled();
    world.clock.advance(2_000);
    expect(await first).toEqual({ kind: 'pending', acceptedAt: world.clock.now() - 2_000 });
    const second = world.admission.admit(submission('a'));
    await settled();
    if (world.appended[0] !== undefined) world.decide(world.appended[0]);
    expect(await second).toEqual({ kind: 'decided', outcome: ACCEPTED, replayed: true });
    expect([world.appended.length, world.userCharged()]).toEqual([1, 1]);
  });

  test('not waiting at all is pending as soon as the log has it', async () => {
    world.append = async () => {};
    expect(await world.admission.admit(submission('a', { waitMs: 0 }))).toEqual({ kind: 'pending', acceptedAt: world.clock.now() });
    expect(world.appended).toHaveLength(1);
  });

  test('an answer that got lost is found in its receipt before pending is said (G3)', async () => {
    world.append = async (command) => {
      world.decide(command);
      world.answers.answer = () => {};
    };
    world.answers.answer = () => {};
    const waiting = world.admission.admit(submission('a'));
    await settled();
    world.clock.advance(2_000);
    expect(await waiting).toEqual({ kind: 'decided', outcome: ACCEPTED, replayed: false });
  });

  test('past a limit it says which, and appends nothing', async () => {
    for (const id of ['a', 'b', 'c']) await world.admission.admit(submission(id));
    expect(await world.admission.admit(submission('d'))).toMatchObject({ kind: 'limited', limit: { name: 'user', windowMs: 3_600_000 } });
    expect([world.appended.length, world.limiter.used.get('system')]).toEqual([3, 3]);
  });

  test('a log that refuses gives the charge back and is no outcome, and nobody says that nothing was appended (G4)', async () => {
    world.append = async () => {
      throw new Error('disk full');
    };
    expect(await world.admission.admit(submission('a'))).toEqual({ kind: 'unavailable', isSure: false });
    expect(world.userCharged()).toBe(0);
    world.append = async (command) => world.decide(command);
    expect(await world.admission.admit(submission('a'))).toMatchObject({ kind: 'decided', outcome: ACCEPTED });
  });

  test('past the bound of commands in flight it is overloaded; twins of those in flight still join', async () => {
    world.append = async () => {};
    const first = ['a', 'b'].map((id) => world.admission.admit(submission(id)));
    await settled();
    expect(world.admission.load).toBe(1);
    expect(await world.admission.admit(submission('c'))).toEqual({ kind: 'overloaded' });
    const twin = world.admission.admit(submission('a'));
    for (const command of world.appended) world.decide(command);
    expect((await Promise.all([...first, twin])).map(({ kind }) => kind)).toEqual(['decided', 'decided', 'decided']);
    await settled();
    expect(world.admission.load).toBe(0);
  });
});

test('a command id depends on door, tenant, user, method, path and key, and is fresh without a key', () => {
  const base = { door: 'http', tenantId: 't', userId: 'u', method: 'POST', path: '/p', key: 'k' as string | null };
  const idOf = (change: Partial<typeof base>) => {
    const { door, tenantId, userId, method, path, key } = { ...base, ...change };
    return commandIdOf({ door, tenantId, userId }, { method, path }, key, () => 'fresh');
  };
  const others = [{ door: 'x' }, { tenantId: 'x' }, { userId: 'x' }, { method: 'PUT' }, { path: '/x' }, { key: 'x' }].map(idOf);
  expect(new Set([idOf({}), ...others]).size).toBe(7);
  expect(idOf({})).toBe(idOf({}));
  expect(idOf({})).toMatch(/^[A-Za-z0-9_-]{22}$/);
  expect(idOf({ key: null })).toBe('fresh');
});
