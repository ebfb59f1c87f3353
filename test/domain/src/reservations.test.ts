import { ASKS_AFTER_MS } from '@retrigger/domain/bulk/state.ts';
import type { Command } from '@retrigger/domain/command.ts';
import { bulkName } from '@retrigger/domain/identifiers.ts';
import type { TaskCommandBody } from '@retrigger/domain/task/commands.ts';
import { taskView } from '@retrigger/domain/task/view.ts';
import { describe, expect, test } from 'vitest';
import { BulkWorld } from './bulk-world.ts';
import { cancel, command, create, trigger } from './command-samples.ts';
import { MORNING } from './task-history.ts';

const TASK = 'deploy';
const asked = { type: 'TriggerTask' as const, body: { triggerReason: 'bulk' } };
const own = (body: TaskCommandBody, id: string = body.type): Command => command(body, { commandId: id });

const reserve = (bulkId: string, startedAt: number, header = {}): Command =>
  command({ type: 'ReserveTask', body: { bulkId, startedAt, asked } }, { commandId: `reserve-${bulkId}`, ...header });
const commit = (bulkId: string) => own({ type: 'CommitTask', body: { bulkId } }, `commit-${bulkId}`);
const release = (bulkId: string) => own({ type: 'ReleaseTask', body: { bulkId } }, `release-${bulkId}`);

/** A task that bulk B, started at 1,000, has reserved. */
const reserved = (): BulkWorld => new BulkWorld(MORNING).send(create(), reserve('B', 1_000)).settle();
const code = (world: BulkWorld, commandId: string) => {
  const outcome = world.outcomes.get(commandId);
  return outcome?.kind === 'refused' ? outcome.refusal.code : outcome?.kind;
};
/** What bulks are told, each result by its bulk. */
const told = (world: BulkWorld, bulkId: string) =>
  world
    .waiting(bulkName(bulkId))
    .flatMap((sent) => (sent.type === 'GatherResults' ? sent.body.results.map(({ kind }) => kind) : [sent.type]));

/** Settles the task alone, so that what bulks would be told can be looked at. */
const settleTask = (world: BulkWorld): BulkWorld => {
  while (world.waiting(TASK).length > 0) world.decide(TASK);
  return world;
};

describe('a reserved task', () => {
  test('shows by which bulk, and refuses what users ask with task_reserved (R2)', () => {
    const world = reserved();
    expect(taskView(world.task(TASK)).reservation).toEqual({ bulkId: 'B' });
    world.send(trigger(), cancel(), own({ type: 'ChangeTask', body: { critical: true } }));
    world.send(own({ type: 'RescheduleTask', body: { schedule: { strategy: 'immediate' } } })).settle();
    for (const id of ['c-trigger', 'c-cancel', 'ChangeTask', 'RescheduleTask'])
      expect([id, code(world, id)]).toEqual([id, 'task_reserved']);
    world.send(trigger({ commandId: 'eve', actor: { id: 'eve', type: 'user' } })).settle();
    expect(code(world, 'eve')).toBe('forbidden');
  });

  test('commits what was planned, once, and tells; a second commit or a late release does nothing (R1, R4)', () => {
    const world = settleTask(new BulkWorld(MORNING).send(create(), reserve('B', 1_000), commit('B')));
    expect(told(world, 'B')).toEqual(['reserved', 'accepted']);
    expect(world.task(TASK)).toMatchObject({ status: 'Running', reservation: null });
    settleTask(world.send(commit('B'), release('B'), reserve('C', 2_000)));
    expect(told(world, 'B')).toEqual(['reserved', 'accepted']);
    expect(world.types(TASK)).toEqual(['TaskCreated', 'TaskReserved', 'TaskTriggered', 'CommandRefused']);
  });

  test('lets its own due time wait, and looks at it when it is let go (R2, R5)', () => {
    const world = new BulkWorld(MORNING).send(create()).settle();
    world.send(own({ type: 'RescheduleTask', body: { schedule: { strategy: 'delayed', delay: '2s' } } }), reserve('B', 1_000));
    settleTask(world);
    settleTask(world.pass(3_000));
    expect(world.task(TASK).status).toBe('Scheduled');
    settleTask(world.send(release('B')));
    expect(told(world, 'B')).toEqual(['reserved', 'released']);
    settleTask(world.pass(0));
    expect(world.task(TASK).status).toBe('Running');
  });

  test('a Check that came while it was reserved is made good by the release', () => {
    const world = new BulkWorld(MORNING).send(create(), create({ taskId: 'first', commandId: 'create-first' })).settle();
    const conditions = { outcome: { taskId: 'first', status: 'Failed' as const } };
    world.send(own({ type: 'RescheduleTask', body: { schedule: { strategy: 'conditional', conditions } } })).settle();
    settleTask(world.send(reserve('B', 1_000)));
    const first = world.streams.get('first');
    if (first === undefined) throw new Error('there is no first');
    const ended = { executionId: 'e', runId: 'r', attempt: 1, status: 'Failed' as const, triggeredAt: '', endedAt: '' };
    first.state = { ...world.task('first'), outcome: 'Failed', lastExecution: ended };
    settleTask(world.send(own({ type: 'Check', body: {} })));
    expect(world.task(TASK).status).toBe('Scheduled');
    settleTask(world.send(release('B')));
    expect(world.task(TASK).status).toBe('Running');
  });

  test('that has waited for too long asks its bulk, which nobody knows: it is let go', () => {
    const world = reserved();
    world.pass(ASKS_AFTER_MS - 1).settle();
    expect(world.task(TASK).reservation).not.toBeNull();
    world.pass(1).settle();
    expect(world.types(TASK)).toEqual(['TaskCreated', 'TaskReserved', 'TaskReleased']);
  });
});

describe('of two bulks that want one task', () => {
  test('the younger is refused at once (R3)', () => {
    const world = settleTask(reserved().send(reserve('C', 2_000)));
    expect([told(world, 'C'), code(world, 'reserve-C')]).toEqual([['refused'], 'task_reserved']);
  });

  test('of the same age the one with the greater name is the younger', () => {
    expect(told(settleTask(reserved().send(reserve('C', 1_000))), 'C')).toEqual(['refused']);
    expect(told(settleTask(reserved().send(reserve('A', 1_000))), 'A')).toEqual([]);
  });

  test('the older waits, and has it when the younger lets go (R3)', () => {
    const world = settleTask(reserved().send(reserve('A', 500)));
    expect([told(world, 'A'), world.task(TASK).reservation?.bulkId]).toEqual([[], 'B']);
    settleTask(world.send(release('B')));
    expect([told(world, 'A'), world.task(TASK).reservation?.bulkId]).toEqual([['reserved'], 'A']);
  });

  test('the older is told why it can’t have it when the younger has committed', () => {
    const world = settleTask(reserved().send(reserve('A', 500), commit('B')));
    expect(told(world, 'A')).toEqual(['refused']);
    expect(world.task(TASK)).toMatchObject({ status: 'Running', reservation: null, claims: [] });
  });

  test('one that waited and was told to let go does not come back (R4)', () => {
    const world = settleTask(reserved().send(reserve('A', 500), release('A'), release('B')));
    expect([told(world, 'A'), world.task(TASK).reservation]).toEqual([['released'], null]);
  });

  test('of several that wait the oldest is next, and the others are refused', () => {
    const world = settleTask(reserved().send(reserve('A', 500), reserve('Z', 100), release('B')));
    expect([told(world, 'Z'), told(world, 'A')]).toEqual([['reserved'], ['refused']]);
  });

  test('nobody younger slips in before one that waited', () => {
    const world = reserved().send(reserve('A', 500), release('B'));
    for (let i = 0; i < 2; i++) world.decide(TASK);
    const retries = world.waiting(TASK).splice(0);
    settleTask(world.send(reserve('C', 2_000)));
    expect(told(world, 'C')).toEqual(['refused']);
    settleTask(world.send(...retries));
    expect(world.task(TASK).reservation?.bulkId).toBe('A');
  });
});
