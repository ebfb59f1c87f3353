import type { NewRecord } from '@retrigger/ports/log.ts';
import { expect, test } from 'vitest';
import { eventually, isOver, target, world } from './harness.ts';

test('X2: the offset does not pass a call before its outcome is in the work log, however often the append fails', async () => {
  const server = await target((response) => response.end('{}'));
  world.trigger('task-1', { url: server.url });
  let [failures, isAway] = [0, true];
  const append = (records: NewRecord[]) => {
    const isOutcome = records.some((record) => Buffer.from(record.value).includes('CompleteExecution'));
    return isAway && isOutcome && ++failures > 0 ? new Error('the log is away') : undefined;
  };
  const { log } = await world.dispatch({ trouble: { append } });
  await eventually(() => expect(failures).toBeGreaterThan(1));
  expect(Math.max(...log.commits)).toBe(world.offsetOf('task-1'));
  isAway = false;
  await isOver();
  expect(world.reportTypes('task-1')).toEqual(['StartExecution', 'CompleteExecution']);
  expect(server.calls).toHaveLength(1);
});

test('a commit that fails is tried again', async () => {
  const server = await target((response) => response.end('{}'));
  world.trigger('task-1', { url: server.url });
  let failures = 0;
  await world.dispatch({ trouble: { commit: () => (failures++ < 1 ? new Error('the log is away') : undefined) } });
  await isOver();
  expect(server.calls).toHaveLength(1);
});

test('X3: a call that a crash leaves open is made again with the same executionId, and reported by the same commands', async () => {
  const server = await target();
  const executionId = world.trigger('task-1', { url: server.url });
  const { log } = await world.dispatch();
  await eventually(() => expect(world.reportTypes('task-1')).toEqual(['StartExecution']));
  await eventually(() => expect(server.calls).toHaveLength(1));
  world.settle();
  log.kill();
  await world.dispatch();
  await eventually(() => expect(server.calls).toHaveLength(2));
  server.release();
  await isOver();
  expect(server.executionIds()).toEqual([executionId, executionId]);
  const [start, again] = world.reports().filter(({ type }) => type === 'StartExecution');
  expect(again?.commandId).toBe(start?.commandId);
  world.settle();
  expect(world.snapshot('task-1')?.status).toBe('Completed');
});

test('X3: a call whose outcome was reported before the crash is not made again', async () => {
  const server = await target((response) => response.end('{}'));
  world.trigger('task-1', { url: server.url });
  const { log } = await world.dispatch({ trouble: { commit: () => new Error('the log is away') } });
  await eventually(() => expect(world.reportTypes('task-1')).toEqual(['StartExecution', 'CompleteExecution']));
  world.settle();
  log.kill();
  await world.dispatch();
  await isOver();
  expect(server.calls).toHaveLength(1);
});

test('F4: a member whose partition was taken away reports the calls that run and moves no offset', async () => {
  const server = await target();
  world.trigger('task-1', { url: server.url });
  world.trigger('task-2', { url: server.url });
  const { log } = await world.dispatch({ bounds: { running: 1, runningPerLane: 1, waiting: 10 } });
  await eventually(() => expect(server.calls).toHaveLength(1));
  await eventually(() => expect(world.committed()).toBe(world.offsetOf('task-1')));
  const before = [...log.commits];
  await log.revoke();
  server.release();
  await eventually(() => expect(world.reportTypes('task-1')).toEqual(['StartExecution', 'CompleteExecution']));
  world.settle();
  await world.dispatch();
  await eventually(() => expect(server.calls).toHaveLength(2));
  server.release();
  await isOver();
  expect(log.commits).toEqual(before);
  expect(server.calls).toHaveLength(2); // what waited in the old member was left to the new one
});

test('a snapshot that is older than the event is read again', async () => {
  const server = await target((response) => response.end('{}'));
  const given = world.readSnapshot;
  world.trigger('task-1', { url: server.url });
  let reads = 0;
  world.readSnapshot = (key) => {
    const found = given(key);
    if (reads++ > 2 || found === undefined) return found;
    return reads === 1
      ? undefined
      : { ...found, head: { ...found.head, sequence: 1 }, state: { ...(found.state as object), execution: null } };
  };
  await world.dispatch();
  await isOver();
  expect(server.calls).toHaveLength(1);
});

test('a store that is away when a waiting call begins is asked again', async () => {
  const server = await target();
  const given = world.readSnapshot;
  world.trigger('first', { url: server.url });
  world.trigger('second', { url: server.url });
  await world.dispatch({ bounds: { running: 1, runningPerLane: 1, waiting: 10 } });
  await eventually(() => expect(server.calls).toHaveLength(1));
  let failures = 0;
  world.readSnapshot = (key) => {
    if (failures++ < 2) throw new Error('the store is away');
    return given(key);
  };
  server.release();
  await eventually(() => expect(server.calls).toHaveLength(2));
  expect(failures).toBeGreaterThan(2);
});
