import { encodeWork } from '@retrigger/contract/work-record.ts';
import { fingerprint } from '@retrigger/domain/idempotency.ts';
import type { Role } from '@retrigger/domain/permissions.ts';
import type { Outcome } from '@retrigger/domain/refusal.ts';
import { CommandAdmission, commandIdOf, type Submission } from '@retrigger/engine/admit-command.ts';
import { silent } from '@retrigger/ports/observer.ts';
import type { Receipt } from '@retrigger/ports/receipt-store.ts';
import { beforeEach, describe, expect, test } from 'vitest';
import { answerOne } from './door.ts';
import { FakeAnswers, FakeClock, FakeLimiter, settled } from './fakes.ts';

const ACCEPTED: Outcome = { kind: 'accepted', answer: { ok: true } };
const LIMITS = { userPerHour: 3, taskPerHour: 0, systemPerMinute: 100, tenantPerMinute: 0 };
const DAY_MS = 86_400_000;

function submission(commandId: string, more: Partial<Submission> & { body?: { triggerReason?: string }; roles?: Role[] } = {}): Submission {
  const { body = {}, roles = ['admin'], ...rest } = more;
  return {
    command: {
      commandId,
      tenantId: 'default',
      taskId: 't',
      actor: { id: 'ann', type: 'user' },
      roles,
      correlationId: 'r',
      type: 'TriggerTask',
      body,
      fingerprint: fingerprint(body),
    },
    permission: 'task:trigger',
    isRepeatable: true,
    cost: 1,
    waitMs: 2_000,
    ...rest,
  };
}

describe('admission', () => {
  let clock: FakeClock;
  let answers: FakeAnswers;
  let limiter: FakeLimiter;
  let receipts: Map<string, Receipt>;
  let appended: Submission['command'][];
  let append: (command: Submission['command']) => Promise<void>;
  let looks: number;
  let admission: CommandAdmission;

  const decide = (command: Submission['command'], outcome = ACCEPTED) => answerOne(command, () => outcome, { receipts, answers, clock });
  const userCharged = () => limiter.used.get('user:default/ann') ?? 0;

  beforeEach(() => {
    clock = new FakeClock();
    answers = new FakeAnswers(clock);
    limiter = new FakeLimiter();
    receipts = new Map();
    appended = [];
    looks = 0;
    append = async (command) => decide(command);
    admission = new CommandAdmission(
      {
        log: {
          async append(_topic, [record]) {
            const command = JSON.parse(Buffer.from(record?.value ?? []).toString());
            appended.push(command);
            await append(command);
          },
        },
        answers,
        receipts: {
          async load(ids) {
            looks++;
            return new Map(ids.flatMap((id) => (receipts.has(id) ? [[id, receipts.get(id) as Receipt] as const] : [])));
          },
        },
        limiter,
        clock,
        observer: silent,
        encode: encodeWork,
      },
      { limits: LIMITS, maxInFlight: 2 },
    );
  });

  test('appends, waits and gives the worker’s outcome', async () => {
    expect(await admission.admit(submission('a'))).toEqual({ kind: 'decided', outcome: ACCEPTED, replayed: false });
    expect(appended).toHaveLength(1);
    expect(appended[0]?.replyTo).toBe('this-process');
    expect(clock.armed, 'only the expectation’s own timer is left').toBe(1);
  });

  test('listens before it appends (G2)', async () => {
    append = async (command) => {
      expect(answers.isExpected(command.commandId)).toBe(true);
      decide(command);
    };
    await admission.admit(submission('a'));
    expect(appended).toHaveLength(1);
  });

  test('a role that lacks the permission is refused without a charge (G4)', async () => {
    expect(await admission.admit(submission('a', { roles: ['viewer'] }))).toEqual({ kind: 'forbidden' });
    expect([appended.length, userCharged()]).toEqual([0, 0]);
  });

  test('sixty twins at once are one record, one charge and one outcome (G1)', async () => {
    append = async () => {};
    const all = Array.from({ length: 60 }, () => admission.admit(submission('a')));
    await settled();
    for (const command of appended) decide(command);
    const got = await Promise.all(all);
    expect(appended).toHaveLength(1);
    expect(userCharged()).toBe(1);
    expect(got.filter((one) => one.kind === 'decided' && !one.replayed)).toHaveLength(1);
    expect(new Set(got.map((one) => one.kind === 'decided' && one.outcome))).toEqual(new Set([ACCEPTED]));
  });

  test('a repeat after the decision is free and appends nothing (G1)', async () => {
    await admission.admit(submission('a'));
    await settled();
    expect(await admission.admit(submission('a'))).toEqual({ kind: 'decided', outcome: ACCEPTED, replayed: true });
    expect([appended.length, userCharged()]).toEqual([1, 1]);
  });

  test('without a key no receipt is looked for first', async () => {
    await admission.admit(submission('a', { isRepeatable: false }));
    expect(looks).toBe(0);
  });

  test('a receipt of a day ago is forgotten', async () => {
    await admission.admit(submission('a'));
    await settled();
    clock.advance(DAY_MS);
    expect(await admission.admit(submission('a'))).toMatchObject({ replayed: false });
    expect(appended).toHaveLength(2);
  });

  test.each(['decided', 'in flight'])(
    'another request under the key of one that is %s is refused with the fields that differ',
    async (when) => {
      if (when === 'in flight') append = async () => {};
      const first = admission.admit(submission('a', { body: { triggerReason: 'one' } }));
      await settled();
      expect(await admission.admit(submission('a', { body: { triggerReason: 'two' } }))).toMatchObject({
        outcome: { kind: 'refused', refusal: { code: 'idempotency_key_reused', more: { fields: ['triggerReason'] } } },
        replayed: false,
      });
      expect([appended.length, userCharged()]).toEqual([1, 1]);
      if (appended[0] !== undefined) decide(appended[0]);
      expect(await first).toMatchObject({ kind: 'decided', outcome: ACCEPTED });
    },
  );

  test('past the wait it is pending; a repeat joins it and costs nothing', async () => {
    append = async () => {};
    const first = admission.admit(submission('a'));
    await settled();
    clock.advance(2_000);
    expect(await first).toEqual({ kind: 'pending', acceptedAt: clock.now() - 2_000 });
    const second = admission.admit(submission('a'));
    await settled();
    if (appended[0] !== undefined) decide(appended[0]);
    expect(await second).toEqual({ kind: 'decided', outcome: ACCEPTED, replayed: true });
    expect([appended.length, userCharged()]).toEqual([1, 1]);
  });

  test('not waiting at all is pending as soon as the log has it', async () => {
    append = async () => {};
    expect(await admission.admit(submission('a', { waitMs: 0 }))).toEqual({ kind: 'pending', acceptedAt: clock.now() });
    expect(appended).toHaveLength(1);
  });

  test('an answer that got lost is found in its receipt before pending is said (G3)', async () => {
    append = async (command) => {
      decide(command);
      answers.answer = () => {};
    };
    answers.answer = () => {};
    const waiting = admission.admit(submission('a'));
    await settled();
    clock.advance(2_000);
    expect(await waiting).toEqual({ kind: 'decided', outcome: ACCEPTED, replayed: false });
  });

  test('past a limit it says which, and appends nothing', async () => {
    for (const id of ['a', 'b', 'c']) await admission.admit(submission(id));
    expect(await admission.admit(submission('d'))).toMatchObject({ kind: 'limited', limit: { name: 'user', windowMs: 3_600_000 } });
    expect([appended.length, limiter.used.get('system')]).toEqual([3, 3]);
  });

  test('a log that refuses gives the charge back and is no outcome (G4)', async () => {
    append = async () => {
      throw new Error('disk full');
    };
    expect(await admission.admit(submission('a'))).toMatchObject({ kind: 'unavailable' });
    expect(userCharged()).toBe(0);
    append = async (command) => decide(command);
    expect(await admission.admit(submission('a'))).toMatchObject({ kind: 'decided', outcome: ACCEPTED });
  });

  test('past the bound of commands in flight it is overloaded; twins of those in flight still join', async () => {
    append = async () => {};
    const first = ['a', 'b'].map((id) => admission.admit(submission(id)));
    await settled();
    expect(admission.load).toBe(1);
    expect(await admission.admit(submission('c'))).toEqual({ kind: 'overloaded' });
    const twin = admission.admit(submission('a'));
    for (const command of appended) decide(command);
    expect((await Promise.all([...first, twin])).map(({ kind }) => kind)).toEqual(['decided', 'decided', 'decided']);
    await settled();
    expect(admission.load).toBe(0);
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
