import { expect, test } from 'vitest';
import { eventually, isOver, target, world } from './harness.ts';

test('X4: a target that hangs delays nobody else, and only its own offset stays', async () => {
  const [hanging, healthy] = [await target(), await target((response) => response.end('{}'))];
  const bounds = { running: 8, runningPerLane: 2, waiting: 100 };
  for (let i = 0; i < 20; i++) world.trigger(`hanging-${i}`, { url: hanging.url });
  for (let i = 0; i < 20; i++) world.trigger(`healthy-${i}`, { url: healthy.url });
  await world.dispatch({ bounds });
  await eventually(() => expect(healthy.calls).toHaveLength(20));
  await eventually(() => expect(world.reportTypes('healthy-19')).toEqual(['StartExecution', 'CompleteExecution']));
  expect(hanging.calls).toHaveLength(2);
  expect(world.committed()).toBe(world.offsetOf('hanging-0')); // X2
});

test('never more calls run than the bound allows, and all are made', async () => {
  const server = await target((response) => setTimeout(() => response.end('{}'), 2));
  for (let i = 0; i < 60; i++) world.trigger(`task-${i}`, { url: server.url });
  await world.dispatch({ bounds: { running: 3, runningPerLane: 3, waiting: 4 } });
  await isOver();
  expect(server.calls).toHaveLength(60);
  expect(server.most()).toBeLessThanOrEqual(3);
});

test('no more targets of a bounded type are called at once than it says; other types on the same host go on', async () => {
  const gate = Promise.withResolvers<void>();
  const server = await target((response) => void gate.promise.then(() => response.end('{}')));
  for (let i = 0; i < 5; i++) {
    world.decide(`slow-${i}`, { type: 'CreateTask', body: { type: 'slow', target: { url: server.url } } });
    world.decide(`slow-${i}`, { type: 'TriggerTask', body: {} });
  }
  for (let i = 0; i < 5; i++) world.trigger(`free-${i}`, { url: server.url });
  await world.dispatch({ typeConcurrency: new Map([['slow', 2]]) });
  await eventually(() => expect(server.calls).toHaveLength(7));
  const called = () => server.executionIds().filter((id) => id.startsWith('slow')).length;
  expect(called()).toBe(2);
  gate.resolve();
  await isOver();
  expect(called()).toBe(5);
});

test('X1: an execution that is cancelled while it waits for a slot is not called', async () => {
  const server = await target();
  world.trigger('first', { url: server.url });
  world.trigger('second', { url: server.url });
  await world.dispatch({ bounds: { running: 1, runningPerLane: 1, waiting: 10 } });
  await eventually(() => expect(server.calls).toHaveLength(1));
  world.decide('second', { type: 'CancelTask', body: {} });
  server.release();
  await isOver();
  expect(server.executionIds()).toEqual([world.reports('first')[0]?.body].map((body) => (body as { executionId: string }).executionId));
});

test('a stop waits for the calls that run, begins none, and leaves the rest to the next', async () => {
  const server = await target();
  for (const taskId of ['first', 'second', 'third']) world.trigger(taskId, { url: server.url });
  const { dispatcher } = await world.dispatch({ drainMs: 5_000, bounds: { running: 1, runningPerLane: 1, waiting: 1 } });
  await eventually(() => expect(server.calls).toHaveLength(1));
  const stopped = dispatcher.stop();
  server.release();
  await stopped;
  expect(server.calls).toHaveLength(1);
  expect(world.reportTypes('first')).toEqual(['StartExecution', 'CompleteExecution']);
  expect(world.committed()).toBe(world.offsetOf('first') + 2); // TaskCreated of the second needs nothing
  world.settle();
  await world.dispatch();
  await eventually(() => expect(server.calls).toHaveLength(3));
  expect(new Set(server.executionIds()).size).toBe(3);
});

test('a stop that waits no longer reports nothing for a call that it broke off', async () => {
  const server = await target();
  world.trigger('task-1', { url: server.url });
  const { dispatcher } = await world.dispatch({ drainMs: 0 });
  await eventually(() => expect(server.calls).toHaveLength(1));
  await dispatcher.stop();
  expect(world.reportTypes('task-1')).toEqual(['StartExecution']);
  expect(world.committed()).toBe(world.offsetOf('task-1'));
});
