import type { Command } from '@retrigger/domain/command.ts';
import type { Conditions } from '@retrigger/domain/conditions.ts';
import type { StoredEvent } from '@retrigger/domain/event.ts';
import { MOST_WALKED } from '@retrigger/domain/task/evidence.ts';
import type { TaskState } from '@retrigger/domain/task/state.ts';
import { describe, expect, test } from 'vitest';
import { FakeStores } from './fake-stores.ts';
import { command, inLog, Owner } from './owner.ts';

const ALL: Conditions = { dependenciesComplete: true };

const look = (taskId: string, nth = 0): Command => ({
  ...{ commandId: `look-${nth}`, tenantId: 'acme', taskId, actor: { id: 'scheduler', type: 'system' }, roles: [], correlationId: 'look' },
  type: 'Check',
  body: {},
});

/** Tasks by id with what each depends on, all completed but those named, and a task `last` that waits for `direct` and everything behind. */
async function graph(edges: Map<string, string[]>, direct: string[], open: string[] = []) {
  const stores = new FakeStores();
  let loads: number[] = [];
  const owner = new Owner(stores);
  const { load } = owner.ports.snapshots;
  owner.ports.snapshots.load = (keys) => {
    loads.push(keys.length);
    return load(keys);
  };
  await owner.take(inLog([command('sample', 'sample', { type: 'CreateTask', body: { type: 'job' } })]));
  const sample = stores.snapshots.get('acme/sample');
  if (sample === undefined) throw new Error('no sample');
  const lastExecution = {
    executionId: 'e',
    runId: 'r',
    attempt: 1,
    status: 'Completed',
    triggeredAt: '',
    endedAt: '',
  } as const;
  for (const [taskId, dependencies] of edges) {
    const ended = open.includes(taskId) ? {} : ({ status: 'Completed', outcome: 'Completed', lastExecution } as const);
    const state = { ...(sample.state as TaskState), taskId, dependencies, ...ended };
    stores.snapshots.set(`acme/${taskId}`, { ...sample, key: `acme/${taskId}`, taskId, state });
  }
  const schedule = { strategy: 'conditional', conditions: ALL } as const;
  loads = [];
  await owner.take(inLog([command('c-last', 'last', { type: 'CreateTask', body: { type: 'job', dependencies: direct, schedule } })], 1));
  return { stores, owner, made: loads, look: (nth = 0) => owner.take(inLog([look('last', nth)], 2 + nth)), loadsOf: () => loads.splice(0) };
}

const chain = (length: number) => {
  const names = Array.from({ length }, (_, nth) => `t${nth}`);
  return { names, edges: new Map(names.map((name, nth) => [name, nth === 0 ? [] : [`t${nth - 1}`]])) };
};

const types = (stream: StoredEvent[]) => stream.map(({ event }) => event.eventType);

describe('a closure', () => {
  test('of a chain 2,000 deep is read link by link, once, and judged right', async () => {
    const { names, edges } = chain(2_000);
    const { stores, look, made, loadsOf } = await graph(edges, ['t1999']);
    expect(made.length).toBeLessThan(2_010);
    expect(made.reduce((sum, keys) => sum + keys, 0)).toBeLessThan(2_010);
    loadsOf();
    await look();
    expect(loadsOf().reduce((sum, keys) => sum + keys, 0)).toBeLessThan(2_010);
    expect(types(stores.stream('acme/last'))).toEqual(['TaskCreated', 'TaskTriggered']);
    const [, fired] = stores.stream('acme/last');
    expect(fired?.event.metadata.conditions).toHaveLength(names.length);
  });

  test('with an open task at its far end is not complete', async () => {
    const { edges } = chain(2_000);
    const { stores, look } = await graph(edges, ['t1999'], ['t0']);
    await look();
    expect(types(stores.stream('acme/last'))).toEqual(['TaskCreated']);
    expect(stores.snapshots.get('acme/last')?.waitsFor).toContain('t0');
  });

  test('of which a direct dependency is open is not read, neither to begin to wait nor to look again', async () => {
    const names = Array.from({ length: 500 }, (_, nth) => `t${nth}`);
    const edges = new Map([...names.map((name) => [name, [] as string[]] as const), ['direct', names] as const]);
    const { look, loadsOf, made } = await graph(edges, ['direct'], ['direct']);
    expect(made).toEqual([1, 1]); // itself, and the direct one
    loadsOf();
    await look();
    expect(loadsOf()).toEqual([1]);
  });

  test('of 10,000 tasks is looked at in as many reads as it is deep', async () => {
    const names = Array.from({ length: 9_900 }, (_, nth) => `t${nth}`);
    const hubs = Array.from({ length: 100 }, (_, nth) => `hub${nth}`);
    const edges = new Map([
      ...names.map((name) => [name, [] as string[]] as const),
      ...hubs.map((hub, nth) => [hub, names.slice(nth * 99, nth * 99 + 99)] as const),
    ]);
    const { stores, look, loadsOf } = await graph(edges, hubs, ['t9899']);
    loadsOf();
    await look();
    expect(loadsOf()).toEqual([100, 9_900]);
    expect(types(stores.stream('acme/last'))).toEqual(['TaskCreated']);
  });

  test('with more open tasks than are watched at a time is watched on, so that its end is told and not found (V5)', async () => {
    const names = Array.from({ length: 1_500 }, (_, nth) => `t${nth}`).sort();
    const edges = new Map([...names.map((name) => [name, [] as string[]] as const), ['direct', names] as const]);
    const { stores, look } = await graph(edges, ['direct'], names);
    const waitsFor = () => stores.snapshots.get('acme/last')?.waitsFor ?? [];
    expect(names.filter((name) => waitsFor().includes(name))).toEqual(names.slice(0, 1_000));
    const done = stores.snapshots.get('acme/direct');
    const complete = (name: string) => {
      const open = stores.snapshots.get(`acme/${name}`);
      if (open === undefined || done === undefined) throw new Error(`no ${name}`);
      const { status, outcome, lastExecution } = done.state as TaskState;
      stores.snapshots.set(`acme/${name}`, { ...open, state: { ...(open.state as TaskState), status, outcome, lastExecution } });
    };
    names.slice(0, 999).forEach(complete);
    await look(0);
    expect(types(stores.stream('acme/last'))).toEqual(['TaskCreated']);
    complete(names[999] as string);
    await look(1);
    expect(types(stores.stream('acme/last'))).toEqual(['TaskCreated', 'TaskChanged']);
    expect(names.filter((name) => waitsFor().includes(name))).toEqual(names.slice(1_000));
    names.slice(1_000).forEach(complete);
    await look(2);
    expect(types(stores.stream('acme/last'))).toEqual(['TaskCreated', 'TaskChanged', 'TaskTriggered']);
  });

  test('of more tasks than anybody looks at is refused', async () => {
    const { edges } = chain(MOST_WALKED + 10);
    const { owner, stores } = await graph(edges, [`t${MOST_WALKED + 9}`]);
    expect(owner.answers.at(-1)?.outcome).toMatchObject({ kind: 'refused', refusal: { code: 'invalid_request' } });
    expect(types(stores.stream('acme/last'))).toEqual([]);
  });
});
