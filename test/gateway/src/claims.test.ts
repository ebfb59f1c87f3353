import type { Command } from '@retrigger/domain/command.ts';
import type { Outcome } from '@retrigger/domain/refusal.ts';
import { refused } from '@retrigger/domain/refusal.ts';
import { beforeEach, describe, expect, test } from 'vitest';
import { type Asked, type Door, startDoor, tokenOf } from './door.ts';
import { settled } from './fakes.ts';

const PATH = '/api/v1/executions/claim';
const taken = (): Outcome => refused('stale_execution', 'Others were faster');
const given = (taskId: string): Outcome => ({ kind: 'accepted', answer: { executionId: `${taskId}.e`, taskId } });

describe('a claim at the door', () => {
  let door: Door;
  beforeEach(() => {
    door = startDoor();
    door.claimable = async () => ['a', 'b', 'c'].map((taskId, n) => ({ taskId, since: n }));
    door.worker = ({ taskId }) => given(taskId);
  });

  /** Asks, and lets time pass until there is an answer. */
  const claim = async (body: object, asked: Asked = {}) => {
    let isAnswered = false;
    const answer = door.ask(PATH, { method: 'POST', body, ...asked }).finally(() => {
      isAnswered = true;
    });
    for (let turns = 0; !isAnswered && turns < 2_000; turns++) {
      await settled(2);
      door.clock.advance(20);
    }
    return answer;
  };
  const tried = () => door.commands.map(({ taskId }) => taskId);

  test('is one command to a task that has something to claim, in the name of the caller', async () => {
    const { status, json } = await claim({ types: ['job'] }, { as: 'executor' });
    expect([status, json.data]).toEqual([200, expect.objectContaining({ taskId: tried()[0] })]);
    expect(door.commands).toMatchObject([{ type: 'ClaimExecution', tenantId: 'default', actor: { type: 'executor' } }]);
    expect(door.commands[0]?.actor.id).toBe(tokenOf('executor'));
  });

  test('goes on to the next when others were faster, and ends with nothing when they were everywhere', async () => {
    const faster = new Set(['a', 'b']);
    door.worker = ({ taskId }) => (faster.has(taskId) ? taken() : given(taskId));
    door.claimable = async () => ['a', 'b', 'c'].filter((id) => !tried().includes(id)).map((taskId, n) => ({ taskId, since: n }));
    expect((await claim({ types: ['job'], wait: '20s' })).json.data).toMatchObject({ taskId: 'c' });
    faster.add('c');
    door.commands.length = 0;
    expect((await claim({ types: ['job'], wait: '1s' })).status).toBe(204);
    expect(tried().toSorted()).toEqual(['a', 'b', 'c']);
  });

  test('leaves out of a list what others had', async () => {
    door.worker = ({ taskId }) => (taskId === 'b' ? taken() : given(taskId));
    const { json } = await claim({ types: ['job'], max: 10 });
    expect(json.data.map(({ taskId }: { taskId: string }) => taskId).toSorted()).toEqual(['a', 'c']);
  });

  test('needs the permission, names it in no task’s history, and costs nothing', async () => {
    const { status, json } = await claim({ types: ['job'] }, { as: 'viewer' });
    expect([status, json.code, door.commands]).toEqual([403, 'forbidden', []]);
    expect((await claim({ types: ['job'] }, { as: null })).status).toBe(401);
    await claim({ types: ['job'] });
    expect(door.limiter.used.size).toBe(0);
  });

  test('whose key is revoked while it waits is given nothing (M7)', async () => {
    const { json } = await door.post('/api/v1/api-keys', { userId: 'ann', roles: ['executor'] });
    door.claimable = async () => [];
    const waiting = claim({ types: ['job'], wait: '30s' }, { key: json.data.key });
    await settled();
    await door.ask(`/api/v1/api-keys/${json.data.id}`, { method: 'DELETE' });
    door.clock.advance(5_000);
    door.claimable = async () => [{ taskId: 'a', since: 0 }];
    expect([(await waiting).status, door.commands]).toEqual([401, []]);
  });

  test('that no worker decides is pending, and says where its outcome will be', async () => {
    door.worker = null;
    const { status, json, headers } = await claim({ types: ['job'] });
    const commandId = headers.get('x-command-id');
    expect([status, json.data]).toEqual([202, { commandId, state: 'pending' }]);
    expect(headers.get('location')).toMatch(new RegExp(`^/api/v1/commands/${commandId}\\?accepted=`));
    expect((await door.ask(headers.get('location') ?? '')).json.data).toEqual({ commandId, state: 'pending' });
  });

  describe('that may be asked again (M5)', () => {
    const headers = { 'idempotency-key': 'once' };
    /** The execution of task a was started by this claim; what is kept under it is told by `kept`. */
    const startedA = (kept: (asked: Command & { type: 'ClaimExecution' }) => Outcome | null) => {
      door.worker = (asked) => {
        if (asked.type !== 'ClaimExecution') throw new Error(`nobody sends ${asked.type}`);
        const { commandId, tenantId, actor, type, fingerprint = {} } = { ...asked, commandId: asked.body.claim };
        const outcome = kept(asked);
        const position = { partition: 1, offset: 0, at: door.clock.now() };
        if (outcome !== null)
          door.receipts.set(commandId, {
            ...{ commandId, tenantId, actorId: actor.id, key: `${tenantId}/z`, type, sequence: null, fingerprint, outcome, position },
          });
        return given(asked.taskId);
      };
    };

    test('is given what is kept under it, also when another try of it started an execution as well', async () => {
      startedA(() => given('z'));
      const first = await claim({ types: ['job'] }, { headers });
      expect([first.status, first.json.data]).toEqual([200, { executionId: 'z.e', taskId: 'z' }]);
      expect((await claim({ types: ['job'] }, { headers })).json.data).toEqual(first.json.data);
      expect(door.commands).toHaveLength(1);
    });

    test('is given again what it got besides when others were faster with what it asked for first (M2)', async () => {
      startedA(({ taskId }) => given(taskId));
      const { worker } = door;
      let first: string | undefined;
      door.worker = (asked) => {
        if (asked.type === 'ClaimExecution') first ??= asked.body.claim;
        return worker === null || (asked.type === 'ClaimExecution' && asked.body.claim === first) ? taken() : worker(asked);
      };
      const body = { types: ['job'], max: 10 };
      const { status, json } = await claim(body, { headers });
      expect([status, json.data.length, door.commands.length]).toEqual([200, 2, 3]);
      const again = await claim(body, { headers });
      expect([again.json.data, door.commands.length]).toEqual([json.data, 3]);
      const { data } = (await door.ask(`/api/v1/commands/${first}`)).json;
      expect(data).toMatchObject({ state: 'accepted', outcome: { status: 200, body: { data: json.data } } });
    });

    test('is pending while nothing is kept under it, whatever its try was answered', async () => {
      startedA(() => null);
      const { status, json } = await claim({ types: ['job'] }, { headers });
      expect([status, json.data.state]).toEqual([202, 'pending']);
    });
  });

  test('that is repeated at another door waits there for what the first one claims, and tries nothing (M6)', async () => {
    const other = startDoor({ deps: { leases: door.leases, freshId: () => 'other' } });
    other.claimable = door.claimable;
    other.worker = ({ taskId }) => given(taskId);
    door.worker = null;
    const headers = { 'idempotency-key': 'once' };
    const ask = (one: Door) => one.ask(PATH, { method: 'POST', body: { types: ['job'], wait: '10s' }, headers });
    const first = ask(door);
    for (let turns = 0; turns < 50 && door.commands.length === 0; turns++) {
      await settled(2);
      door.clock.advance(20);
    }
    const second = ask(other);
    for (let turns = 0; turns < 20; turns++) {
      await settled(2);
      other.clock.advance(300);
    }
    expect([door.commands.length, other.commands.length]).toEqual([1, 0]);
    const [tried] = door.commands;
    if (tried?.type !== 'ClaimExecution') throw new Error('nothing was tried');
    const { tenantId, actor, fingerprint = {} } = tried as Command & { fingerprint?: object };
    const position = { partition: 1, offset: 0, at: other.clock.now() };
    other.receipts.set(tried.body.claim, {
      ...{ commandId: tried.body.claim, tenantId, actorId: actor.id, key: `${tenantId}/a`, type: tried.type, sequence: 3 },
      ...{ fingerprint: fingerprint as { [field: string]: string }, outcome: given('a'), position },
    });
    for (let turns = 0; turns < 5; turns++) {
      await settled(2);
      other.clock.advance(300);
    }
    expect((await second).json.data).toEqual({ executionId: 'a.e', taskId: 'a' });
    door.clock.advance(60_000);
    expect((await first).status).toBe(202);
  });

  test('that meets a store that is away keeps nobody from asking again when it is back (M6)', async () => {
    const { leases, documents } = door;
    const broken = startDoor({
      deps: {
        leases,
        documents,
        freshId: () => 'broken',
        receipts: { load: () => Promise.reject(new Error('away')), put: async () => {} },
      },
    });
    const headers = { 'idempotency-key': 'once' };
    expect((await broken.ask(PATH, { method: 'POST', body: { types: ['job'] }, headers })).status).toBe(503);
    await claim({ types: ['job'] }, { headers });
    expect(door.commands).toHaveLength(1);
  });

  test('of a door that died is tried by another one 10 seconds later', async () => {
    await door.leases.take('claim:nobody-knows-this-one', 'dead', 10_000);
    const { leases } = door;
    const take = (_name: string, holder: string, ms: number) => leases.take('claim:nobody-knows-this-one', holder, ms);
    const other = startDoor({ deps: { leases: { take, end: async () => {}, close: async () => {} } } });
    other.claimable = door.claimable;
    other.worker = ({ taskId }) => given(taskId);
    const asked = other.ask(PATH, { method: 'POST', body: { types: ['job'], wait: '20s' }, headers: { 'idempotency-key': 'once' } });
    const pass = async (ms: number) => {
      for (let turns = 0; turns < ms / 250; turns++) {
        await settled(2);
        door.clock.advance(250);
        other.clock.advance(250);
      }
    };
    await pass(9_000);
    expect(other.commands).toEqual([]);
    await pass(2_000);
    expect(other.commands).toHaveLength(1);
    expect((await asked).status).toBe(202);
  });

  test('that the log does not take is no pending one: the log is waited for, and what it says is told', async () => {
    const { clock, claimable } = door;
    let since: number | undefined;
    const log = {
      ...{ partitionOf: () => 0, partitionCount: () => 1 },
      stuckMs: () => (since === undefined ? 0 : clock.now() - since),
      append: () => {
        since = clock.now();
        return new Promise<void>((_, reject) => void clock.timer(clock.now() + 5_000, () => reject(new Error('the log is away'))));
      },
    };
    const stuck = startDoor({ deps: { log, clock } });
    stuck.claimable = claimable;
    const asked = stuck.ask(PATH, { method: 'POST', body: { types: ['job'] } });
    let isAnswered = false;
    void asked.finally(() => {
      isAnswered = true;
    });
    for (let turns = 0; !isAnswered && turns < 500; turns++) {
      await settled(2);
      clock.advance(20);
    }
    const { status, json } = await asked;
    expect([status, json.code]).toEqual([503, 'unavailable']);
  });

  test('when too many claims are open is told so', async () => {
    door = startDoor({ config: { maxInFlight: 1 } });
    const open = claim({ types: ['job'], wait: '1s' });
    await settled(3);
    const second = await door.ask(PATH, { method: 'POST', body: { types: ['job'] } });
    expect([second.status, second.json.code]).toEqual([503, 'overloaded']);
    expect((await open).status).toBe(204);
  });
});
