import { DECIDES_WITHIN_MS, MOST_TASKS, UNDER_WAY } from '@retrigger/domain/bulk/state.ts';
import { bulkName, deriveBulkId } from '@retrigger/domain/identifiers.ts';
import { describe, expect, test } from 'vitest';
import { BulkWorld, bulk } from './bulk-world.ts';
import { cancel, create, trigger } from './command-samples.ts';
import { MORNING } from './task-history.ts';

/** A world with these tasks in Draft. */
const worldOf = (...taskIds: string[]): BulkWorld =>
  new BulkWorld(MORNING).send(...taskIds.map((taskId) => create({ taskId, commandId: `create-${taskId}` }))).settle();

const running = (taskId: string) => trigger({ taskId, commandId: `run-${taskId}` });
const results = (world: BulkWorld, commandId: string) => {
  const outcome = world.outcomes.get(commandId);
  const told = outcome?.kind === 'accepted' ? outcome.answer : (outcome?.refusal.more ?? {});
  const found = told.results as unknown as { taskId: string; accepted: boolean; error?: { code: string } }[];
  return found.map(({ taskId, accepted, error }) => [taskId, accepted ? 'accepted' : error?.code]);
};

describe('a bulk of best effort', () => {
  test('gives each task its own result, in the order asked for, with the refusal of a single call', () => {
    const told = worldOf('a', 'b', 'c').send(running('b')).settle();
    told.send(bulk('BulkTrigger', 'x', { tasks: ['c', 'nobody', 'b', 'a'], triggerReason: 'why' })).settle();
    expect(results(told, 'x')).toEqual([
      ['c', 'accepted'],
      ['nobody', 'task_not_found'],
      ['b', 'task_already_running'],
      ['a', 'accepted'],
    ]);
    expect(told.outcomes.get('x')).toMatchObject({ kind: 'accepted', answer: { accepted: 2, refused: 2 } });
    expect(told.types('a')).toEqual(['TaskCreated', 'TaskTriggered']);
  });

  test('asks a large number chunk by chunk, and joins what one chunk says', () => {
    const taskIds = Array.from({ length: MOST_TASKS }, (_, i) => `t${i}`);
    const told = worldOf(...taskIds);
    told.send(bulk('BulkTrigger', 'x', { tasks: taskIds })).settle(() => 0, 1);
    expect(taskIds.filter((taskId) => told.waiting(taskId).length > 0)).toEqual(taskIds.slice(0, UNDER_WAY));
    told.settle();
    expect(told.outcomes.get('x')).toMatchObject({ kind: 'accepted', answer: { accepted: MOST_TASKS, refused: 0 } });
  });

  test('asks up to a hundred at once', () => {
    const taskIds = Array.from({ length: 100 }, (_, i) => `t${i}`);
    const told = worldOf(...taskIds);
    told.send(bulk('BulkTrigger', 'x', { tasks: taskIds, allOrNothing: true })).settle(() => 0, 1);
    expect(taskIds.filter((taskId) => told.waiting(taskId).length === 0)).toEqual([]);
    told.settle();
    const steps = new Set(told.types(bulkName(deriveBulkId('x'))));
    expect([...steps]).toEqual(['BulkStarted', 'BulkGathered', 'BulkDecided', 'BulkEnded']);
    expect(told.outcomes.get('x')).toMatchObject({ kind: 'accepted', answer: { accepted: 100, refused: 0 } });
  });

  test('is started once under one key, and anew when the key has ended its day', () => {
    const told = worldOf('a');
    told.send(bulk('BulkTrigger', 'x', { tasks: ['a'] }), bulk('BulkTrigger', 'x', { tasks: ['a'] })).settle();
    expect(told.types(bulkName(deriveBulkId('x')))).toEqual(['BulkStarted', 'BulkEnded']);
    told.now += 24 * 3_600_000;
    told.send(bulk('BulkTrigger', 'x', { tasks: ['a'] })).settle();
    expect(results(told, 'x')).toEqual([['a', 'task_already_running']]);
  });

  test('from somebody without the permission is refused as a whole and asks nobody', () => {
    const told = worldOf('a')
      .send(bulk('BulkTrigger', 'x', { tasks: ['a'] }, { roles: ['viewer'] }))
      .settle();
    expect(told.outcomes.get('x')).toMatchObject({ kind: 'refused', refusal: { code: 'forbidden' } });
    expect([told.types('a'), told.bulk('x')]).toEqual([['TaskCreated'], undefined]);
  });

  test('of no task at all ends at once', () => {
    for (const allOrNothing of [false, true]) {
      const told = worldOf()
        .send(bulk('BulkTrigger', 'x', { tasks: [], allOrNothing }))
        .settle();
      expect(told.outcomes.get('x')).toEqual({ kind: 'accepted', answer: { results: [], accepted: 0, refused: 0 } });
    }
  });

  test('an item whose conditions name another one of it waits for that one', () => {
    const told = worldOf('a', 'b');
    const conditions = { outcome: { taskId: 'a', status: 'Completed' as const } };
    told.send(bulk('BulkTrigger', 'x', { tasks: [{ taskId: 'b', conditions }, 'a'] })).settle();
    expect([told.task('b').status, told.task('b').schedule, told.task('a').status]).toEqual([
      'Scheduled',
      { strategy: 'conditional', conditions },
      'Running',
    ]);
    expect(told.outcomes.get('x')).toMatchObject({
      answer: { results: [{ taskId: 'b', accepted: true }, { executionId: expect.any(String) }] },
    });
  });
});

describe('a bulk of all or nothing', () => {
  test('commits when every task has reserved itself, and answers when every one has committed', () => {
    const told = worldOf('a', 'b')
      .send(bulk('BulkTrigger', 'x', { tasks: ['a', 'b'], allOrNothing: true }))
      .settle();
    expect(results(told, 'x')).toEqual([
      ['a', 'accepted'],
      ['b', 'accepted'],
    ]);
    expect(told.types('a')).toEqual(['TaskCreated', 'TaskReserved', 'TaskTriggered']);
    expect(told.types(bulkName(deriveBulkId('x'))).slice(0, 1)).toEqual(['BulkStarted']);
    expect(told.task('a')).toMatchObject({ status: 'Running', reservation: null, claims: [] });
  });

  test('releases all when one is refused, and says which and why (A2)', () => {
    const told = worldOf('a', 'b', 'c')
      .send(cancel({ taskId: 'b' }))
      .settle();
    told.send(bulk('BulkTrigger', 'x', { tasks: ['a', 'b', 'nobody', 'c'], allOrNothing: true })).settle();
    expect(told.outcomes.get('x')).toMatchObject({ kind: 'refused', refusal: { code: 'transaction_aborted' } });
    expect(results(told, 'x').map(([, code]) => code)).toEqual([
      'transaction_aborted',
      'invalid_state',
      'task_not_found',
      'transaction_aborted',
    ]);
    for (const taskId of ['a', 'c']) {
      expect(told.types(taskId)).toEqual(['TaskCreated', 'TaskReserved', 'TaskReleased']);
      expect(told.task(taskId)).toMatchObject({ status: 'Draft', reservation: null });
    }
  });

  test('that has not decided in time decides to release, and commits nothing that says so later', () => {
    const told = worldOf('a', 'b').send(bulk('BulkTrigger', 'x', { tasks: ['a', 'b'], allOrNothing: true }));
    told.decide(bulkName(deriveBulkId('x')));
    told.decide('a');
    told.pass(DECIDES_WITHIN_MS).settle();
    expect(told.outcomes.get('x')).toMatchObject({ kind: 'refused', refusal: { detail: expect.stringContaining('in time') } });
    expect([told.types('a').at(-1), told.types('b').at(-1)]).toEqual(['TaskReleased', 'TaskReleased']);
    expect(told.bulk('x')).toMatchObject({ status: 'Ended', decision: 'release' });
  });

  test('counts what a task says once, the first time (A4)', () => {
    const told = worldOf('a', 'b').send(bulk('BulkTrigger', 'x', { tasks: ['a', 'b'], allOrNothing: true }));
    const name = bulkName(deriveBulkId('x'));
    told.decide(name);
    told.decide('a');
    const [reserved] = told.waiting(name);
    if (reserved === undefined) throw new Error('a says nothing');
    told.send(reserved, reserved).settle();
    told.send(reserved).settle();
    expect(results(told, 'x').map(([, what]) => what)).toEqual(['accepted', 'accepted']);
    expect(told.types(name).filter((type) => type === 'BulkEnded')).toHaveLength(1);
  });

  test('edges that two of its items add are seen by both: a circle between them aborts it', () => {
    const told = worldOf('a', 'b');
    const after = (taskId: string) => ({ strategy: 'conditional' as const, conditions: { dependenciesComplete: [taskId] } });
    told
      .send(
        bulk('BulkReschedule', 'x', {
          tasks: [
            { taskId: 'a', schedule: after('b') },
            { taskId: 'b', schedule: after('a') },
          ],
          allOrNothing: true,
        }),
      )
      .settle((busy) => busy - 1);
    expect(results(told, 'x').map(([, code]) => code)).toContain('circular_dependency');
    expect([told.task('a').status, told.task('b').status]).toEqual(['Draft', 'Draft']);
  });
});
