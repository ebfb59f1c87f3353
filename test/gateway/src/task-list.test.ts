import { beforeEach, describe, expect, test } from 'vitest';
import { type Door, startDoor, tokenOf } from './door.ts';

type Page = { tasks: { taskId: string }[]; pageInfo: { hasMore: boolean; nextCursor: string | null } };

describe('the list of tasks', () => {
  let door: Door;
  const list = async (query = ''): Promise<Page> => (await door.ask(`/api/v1/tasks${query}`)).json.data;
  const ids = async (query: string) => (await list(query)).tasks.map(({ taskId }) => taskId);

  /** A task as the list finds it. */
  const put = (tenantId: string, taskId: string, more: { status?: string; type?: string; owner?: string; critical?: boolean } = {}) => {
    const { status = 'Draft', type = 'job', owner = tokenOf('admin'), critical = false } = more;
    door.seed(tenantId, taskId, ['TaskCreated']);
    const snapshot = door.snapshots.get(`${tenantId}/${taskId}`);
    if (snapshot === undefined) throw new Error('not seeded');
    const state = { ...(snapshot.state as object), status, type, owner, critical };
    door.snapshots.set(snapshot.key, { ...snapshot, status, type, state });
  };

  beforeEach(() => {
    door = startDoor();
    put('default', 'c', { type: 'build' });
    put('default', 'a', { status: 'Running', critical: true });
    put('default', 'b', { owner: 'ann' });
    put('default', 'd', { type: 'build', status: 'Running', owner: 'ann', critical: true });
    put('other', 'theirs');
  });

  test('is the tenant’s tasks by type and id', async () => {
    expect(await list()).toMatchObject({ pageInfo: { hasMore: false, nextCursor: null } });
    expect(await ids('')).toEqual(['c', 'd', 'a', 'b']);
  });

  test.each([
    ['?status=Running', ['d', 'a']],
    ['?type=build', ['c', 'd']],
    ['?owner=ann', ['d', 'b']],
    ['?critical=true', ['d', 'a']],
    ['?critical=false&type=job', ['b']],
    ['?status=Running&type=build&owner=ann&critical=true', ['d']],
    ['?status=Failed', []],
    ['?owner=theirs', []],
  ])('%s gives %j', async (query, expected) => {
    expect(await ids(query)).toEqual(expected);
  });

  test.each(['', '&owner=admin'])(
    'walking the cursor of %j neither loses nor repeats one, although tasks change status',
    async (filter) => {
      for (let i = 0; i < 30; i++) put('default', `n${String(i).padStart(2, '0')}`);
      const seen: string[] = [];
      for (let cursor: string | null = ''; cursor !== null; ) {
        const page: Page = await list(`?pageSize=7&cursor=${cursor}${filter}`);
        seen.push(...page.tasks.map(({ taskId }) => taskId));
        for (const taskId of ['n00', 'n29']) put('default', taskId, { status: seen.length % 2 === 0 ? 'Running' : 'Failed' });
        expect(page.pageInfo.hasMore).toBe(page.pageInfo.nextCursor !== null);
        cursor = page.pageInfo.nextCursor;
      }
      expect(seen).toHaveLength(filter === '' ? 34 : 32);
      expect(new Set(seen).size).toBe(seen.length);
    },
  );

  test('a cursor is good for its query and tenant only, and in every character (Q1)', async () => {
    const { nextCursor } = (await list('?pageSize=2')).pageInfo;
    const status = async (query: string, as = 'admin') => (await door.ask(`/api/v1/tasks${query}`, { as })).status;
    expect(await status(`?cursor=${nextCursor}`)).toBe(200);
    for (const query of ['status=Draft', 'type=job', 'owner=ann', 'critical=true'])
      expect([query, await status(`?cursor=${nextCursor}&${query}`)]).toEqual([query, 400]);
    expect(await status(`?cursor=${nextCursor}`, 'stranger')).toBe(400);
    for (let i = 0; i < (nextCursor?.length ?? 0); i++) {
      const altered = `${nextCursor?.slice(0, i)}${nextCursor?.[i] === 'A' ? 'B' : 'A'}${nextCursor?.slice(i + 1)}`;
      expect([i, await status(`?cursor=${altered}`)]).toEqual([i, 400]);
    }
  });

  test('a filter that matches few ends its page early instead of reading the whole tenant (L1)', async () => {
    let asked = 0;
    const { state, ...rest } = door.snapshots.get('default/c') ?? { state: {} };
    const many = async (_t: string, _f: object, after: { taskId: string } | null, limit: number) => {
      asked += limit;
      const first = Number(after?.taskId ?? -1) + 1;
      return Array.from({ length: limit }, (_, i) => ({ ...rest, type: 'build', taskId: String(first + i), state }) as never);
    };
    door = startDoor({
      deps: {
        snapshots: {
          load: async () => new Map(),
          waiting: async () => [],
          list: many,
          claimable: async () => [],
          marks: async () => new Map(),
        },
      },
    });
    const page = await list('?owner=nobody');
    expect([page.tasks.length, page.pageInfo.hasMore]).toEqual([0, true]);
    expect(asked).toBeLessThanOrEqual(20_000);
    expect((await list(`?owner=nobody&cursor=${page.pageInfo.nextCursor}`)).pageInfo.hasMore).toBe(true);
  });
});
