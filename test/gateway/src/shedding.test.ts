import { BodyMemory } from '@retrigger/gateway/body-memory.ts';
import { type Listening, serve } from '@retrigger/gateway/serve.ts';
import { beforeEach, describe, expect, test } from 'vitest';
import { startAdmission, submission } from './admission-world.ts';
import { keyOf, startDoor } from './door.ts';
import { settled } from './fakes.ts';

const TRIGGER = '/api/v1/tasks/t/trigger';

describe('load shedding at the law that all doors share', () => {
  let world: ReturnType<typeof startAdmission>;
  beforeEach(() => {
    world = startAdmission();
  });

  test('while a partition’s oldest record waits over 10 s nothing is taken for it: not looked at, not charged, not appended (G6)', async () => {
    world.lagMs = 10_001;
    let checked = 0;
    const check = async () => void checked++ as undefined;
    expect(await world.admission.admit(submission('a', { check }))).toEqual({ kind: 'overloaded' });
    expect([checked, world.userCharged(), world.appended.length]).toEqual([0, 0, 0]);
    world.lagMs = 10_000;
    expect(await world.admission.admit(submission('a'))).toMatchObject({ kind: 'decided', replayed: false });
  });

  test('a repeat of what is decided has its answer also while the workers are late (G6)', async () => {
    await world.admission.admit(submission('a'));
    await settled();
    world.lagMs = 60_000;
    expect(await world.admission.admit(submission('a'))).toMatchObject({ kind: 'decided', replayed: true });
  });

  test('past what may be in flight nothing is taken, and nothing is even sealed, but repeats of what is in flight join it (G6)', async () => {
    world.append = async () => {};
    const pending = ['a', 'b'].map((id) => world.admission.admit(submission(id)));
    await settled();
    world.ports.seal = () => Promise.reject(new Error('it was sealed'));
    expect(await world.admission.admit(submission('c'))).toEqual({ kind: 'overloaded' });
    world.ports.seal = async (command) => command;
    const repeat = world.admission.admit(submission('a'));
    for (const command of world.appended) world.decide(command);
    for (const one of [...pending, repeat]) expect(await one).toMatchObject({ kind: 'decided' });
    expect(world.appended).toHaveLength(2);
  });

  test('how late the workers are counts towards the load', async () => {
    expect(world.admission.load).toBe(0);
    world.lagMs = 8_100;
    expect(world.admission.load).toBeCloseTo(0.81);
  });

  test('a partition of the log that says nothing for 2 s takes nothing more, at once and for sure; others do, and repeats are answered', async () => {
    await world.admission.admit(submission('before'));
    world.stuckMs = 2_001;
    expect(await world.admission.admit(submission('a'))).toEqual({ kind: 'unavailable', isSure: true });
    expect(world.appended.map(({ commandId }) => commandId)).toEqual(['before']);
    expect(world.userCharged()).toBe(1);
    expect(await world.admission.admit(submission('before'))).toMatchObject({ kind: 'decided', replayed: true });
    const elsewhere = submission('b');
    elsewhere.command.taskId = 'elsewhere';
    expect(await world.admission.admit(elsewhere)).toMatchObject({ kind: 'decided' });
    world.stuckMs = 2_000;
    expect(await world.admission.admit(submission('a'))).toMatchObject({ kind: 'decided' });
  });

  test('limits that can’t be asked let nothing through that costs, and everything else (fail closed)', async () => {
    world.limiter.charge = () => Promise.reject(new Error('no Redis'));
    expect(await world.admission.admit(submission('a'))).toEqual({ kind: 'unavailable', isSure: true });
    expect(world.appended).toEqual([]);
    expect(await world.admission.admit(submission('b', { cost: 0 }))).toMatchObject({ kind: 'decided' });
  });

  test('the limits are those of the tenant at that moment', async () => {
    expect(await world.admission.admit(submission('a'))).toMatchObject({ kind: 'decided' });
    world.limits.userPerHour = 1;
    expect(await world.admission.admit(submission('b'))).toMatchObject({ kind: 'limited', limit: { name: 'user', points: 1 } });
  });
});

describe('load shedding at the HTTP door', () => {
  test('late workers are 503 overloaded with Retry-After, and readiness says degraded before that', async () => {
    const door = startDoor();
    const state = async () => (await door.ask('/readyz', { as: null })).json.data.state;
    expect(await state()).toBe('ready');
    door.lagMs = 8_001;
    expect(await state()).toBe('degraded');
    door.lagMs = 10_001;
    const { status, json, headers } = await door.post(TRIGGER);
    expect([status, json.code, headers.get('retry-after')]).toEqual([503, 'overloaded', '1']);
    expect(door.commands).toEqual([]);
  });

  test('a tenant with too much undecided on a partition is 429, tells another nothing, and may go on when something is decided (G7)', async () => {
    const door = startDoor({ config: { maxUndecided: 3 } });
    door.worker = null;
    const ask = (as: string) => door.ask(TRIGGER, { method: 'POST', as, headers: { prefer: 'respond-async' } });
    for (let i = 0; i < 3; i++) expect((await ask('admin')).status).toBe(202);
    const { status, json, headers } = await ask('admin');
    expect([status, json.code]).toEqual([429, 'rate_limited']);
    expect(headers.get('retry-after')).toBe('1');
    expect(headers.get('ratelimit')).toBe('"undecided";r=0;t=1');
    expect(headers.get('ratelimit-policy')).toBe('"undecided";q=3;qu="concurrent-requests"');
    expect((await ask('stranger')).status).toBe(202);
    door.answers.answer({ commandId: door.commands[0]?.commandId ?? '', outcome: { kind: 'accepted', answer: {} }, replayed: false });
    await settled();
    expect([(await ask('admin')).status, (await ask('admin')).status]).toEqual([202, 429]);
    expect(door.commands).toHaveLength(5);
  });

  test('what costs and is refused for a place is not charged', async () => {
    const limits = { userPerHour: 10, taskPerHour: 0, systemPerMinute: 0, tenantPerMinute: 0 };
    const door = startDoor({ config: { maxUndecided: 1, limits } });
    door.worker = null;
    for (const expected of [202, 429, 429]) expect((await door.post(TRIGGER, {}, { prefer: 'respond-async' })).status).toBe(expected);
    expect([...door.limiter.used.values()]).toEqual([1]);
  });
});

test('a tenant that floods the door on all partitions leaves places in flight to the next (F3)', async () => {
  const door = startDoor({ config: { maxInFlight: 64 } });
  door.worker = null;
  const flood = async (as: string) => {
    for (let taken = 0; ; taken++) {
      const { status } = await door.ask(TRIGGER, { method: 'POST', as, body: {}, headers: { prefer: 'respond-async' } });
      if (status !== 202) return [status, taken];
    }
  };
  expect([await flood('admin'), await flood('stranger')]).toEqual([
    [429, 56],
    [429, 7],
  ]);
});

describe('the memory for bodies', () => {
  test('takes what fits, never more than there is, and gives back all that a request held, also one that failed (E1)', async () => {
    const memory = new BodyMemory(100);
    await memory.during(async (one) => {
      expect(one.take('a', 60)).toBe(true);
      await memory.during(async (two) =>
        expect([two.take('b', 50), two.take('b', 34), memory.bytes, memory.load]).toEqual([false, true, 94, 0.94]),
      );
      expect(memory.bytes).toBe(60);
      const failing = memory.during(async (three) => {
        expect(three.take('a', 20)).toBe(true);
        throw new Error('it failed');
      });
      await expect(failing).rejects.toThrow('it failed');
    });
    expect(memory.bytes).toBe(0);
  });

  test('a tenant leaves room to the next, and that one to a third (E2)', async () => {
    const memory = new BodyMemory(64_000);
    const heldBy = (tenantId: string, then: (bytes: number) => Promise<void>) =>
      memory.during(async ({ take }) => {
        let bytes = 0;
        while (take(tenantId, 10)) bytes += 10;
        await then(bytes);
      });
    await heldBy('a', async (a) => heldBy('b', async (b) => heldBy('c', async (c) => expect([a, b, c]).toEqual([56_000, 7_000, 870]))));
    expect(memory.bytes).toBe(0);
    await heldBy('b', async (bytes) => expect(bytes).toBe(56_000));
  });

  test('bodies past the bound are 503 overloaded and degraded before that; what ends gives its room to the next', async () => {
    const door = startDoor({ config: { maxBodyBytes: 1_000 } });
    door.worker = null;
    const served = await serve(door.app.fetch, { host: '127.0.0.1', port: 0 });
    if (served.kind !== 'listening') throw new Error(served.message);
    try {
      const waiting = ask(served, 'x'.repeat(850));
      await arrived(door.commands, 1);
      expect((await door.ask('/readyz', { as: null })).json.data.state).toBe('degraded');
      const refused = await ask(served, 'x'.repeat(300));
      expect([refused.status, refused.headers.get('retry-after'), refused.headers.get('connection')]).toEqual([503, '1', 'close']);
      expect(await refused.json()).toMatchObject({ code: 'overloaded' });
      expect(door.commands).toHaveLength(1);
      const [command] = door.commands;
      door.answers.answer({ commandId: command?.commandId ?? '', outcome: { kind: 'accepted', answer: {} }, replayed: false });
      expect((await waiting).status).toBe(202);
      expect((await door.ask('/readyz', { as: null })).json.data.state).toBe('ready');
      door.worker = () => ({ kind: 'accepted', answer: {} });
      expect((await ask(served, 'x'.repeat(850))).status).toBe(202);
    } finally {
      await served.stop(0);
    }
  });

  const ask = ({ url }: Listening, triggerReason: string): Promise<Response> =>
    fetch(`${url}${TRIGGER}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${keyOf('admin')}`, 'content-type': 'application/json', prefer: 'wait=60' },
      body: JSON.stringify({ triggerReason }),
    });

  async function arrived(commands: unknown[], count: number): Promise<void> {
    for (const end = performance.now() + 20_000; commands.length < count && performance.now() < end; )
      await new Promise((resolve) => setImmediate(resolve));
    expect(commands).toHaveLength(count);
  }
});
