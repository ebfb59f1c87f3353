import { CallQueue, type CallQueueBounds } from '@retrigger/dispatcher/call-queue.ts';
import { expect, test } from 'vitest';

/** A queue whose jobs run until they are told to end. */
function queueOf(bounds: Partial<CallQueueBounds>) {
  const queue = new CallQueue({ running: 4, runningPerLane: 2, waiting: 100, ...bounds });
  const started: string[] = [];
  const ends = new Map<string, () => void>();
  const add = (name: string, tenantId = name.slice(0, 1)) => {
    const target = name.slice(0, 1);
    const group = target.toUpperCase() === target ? 'bounded' : 'other';
    return queue.add({ tenantId, target, group }, () => {
      started.push(name);
      return new Promise<void>((resolve) => ends.set(name, resolve));
    });
  };
  const end = async (name: string) => {
    ends.get(name)?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { queue, started, add, end };
}

test('Q1: no more run than the bounds allow, in all and in a lane', async () => {
  const { started, add, end } = queueOf({});
  const added = ['a1', 'a2', 'a3', 'b1', 'b2', 'c1'].map((name) => add(name));
  expect(added).toEqual(['started', 'started', 'waits', 'started', 'started', 'waits']);
  await end('a1');
  expect(started).toEqual(['a1', 'a2', 'b1', 'b2', 'a3']);
  await end('b1');
  expect(started.at(-1)).toBe('c1');
});

test('Q1: a group at its bound waits, over all its lanes, and holds up no other (Q4)', async () => {
  const { started, add, end } = queueOf({ runningInGroup: new Map([['bounded', 1]]) });
  const added = ['A1', 'A2', 'B1', 'c1', 'd1'].map((name) => add(name));
  expect(added).toEqual(['started', 'waits', 'waits', 'started', 'started']);
  await end('A1');
  expect(started).toEqual(['A1', 'c1', 'd1', 'A2']);
  await end('c1');
  expect(started).toHaveLength(4);
  await end('A2');
  expect(started.at(-1)).toBe('B1');
});

test('Q2: a lane whose jobs never end leaves the other slots to the rest', async () => {
  const { started, add, end } = queueOf({});
  for (let i = 0; i < 50; i++) add(`h${i}`);
  for (let i = 0; i < 10; i++) add(`b${i}`);
  for (let i = 0; i < 10; i++) await end(`b${i}`);
  expect(started.filter((name) => name.startsWith('b'))).toHaveLength(10);
  expect(started.filter((name) => name.startsWith('h'))).toHaveLength(2);
});

test('Q5: a tenant whose targets all hang leaves slots to the next, and that one to a third', async () => {
  const { started, add, end } = queueOf({ running: 64, runningPerLane: 16 });
  const targets = [...'abcdefghij'];
  for (const tenantId of ['one', 'two', 'three'])
    for (const target of targets) for (let i = 0; i < 20; i++) add(`${target}${tenantId}${i}`, tenantId);
  const of = (tenantId: string) => started.filter((name) => name.slice(1).startsWith(tenantId)).length;
  expect([of('one'), of('two'), of('three')]).toEqual([48, 12, 3]);
  expect(add('x', 'four')).toBe('started');
  await end('x');
  expect([of('one'), of('two'), of('three')]).toEqual([48, 12, 3]);
  for (let ended = 0; ended < started.length; ended++) await end(started[ended] ?? '');
  expect(started).toHaveLength(601);
});

test('Q2: lanes that wait take turns, Q3: each in its own order', async () => {
  const { started, add, end } = queueOf({ running: 1, runningPerLane: 1 });
  for (const name of ['x1', 'a1', 'a2', 'a3', 'b1', 'b2', 'c1']) add(name);
  for (const name of ['x1', 'a1', 'b1', 'c1', 'a2', 'b2']) await end(name);
  expect(started).toEqual(['x1', 'a1', 'b1', 'c1', 'a2', 'b2', 'a3']);
});

test('there is room again when a waiting job starts', async () => {
  const { queue, add, end } = queueOf({ running: 1, waiting: 1 });
  add('a1');
  await queue.room();
  add('a2');
  let hasRoom = false;
  const room = queue.room().then(() => {
    hasRoom = true;
  });
  await Promise.resolve();
  expect(hasRoom).toBe(false);
  await end('a1');
  await room;
});

test('after a stop nothing starts, waiting for room ends, and idle means that the last job ended', async () => {
  const { queue, started, add, end } = queueOf({ running: 1, waiting: 1 });
  add('a1');
  add('a2');
  const room = queue.room();
  queue.stop();
  await room;
  expect(add('a3')).toBe('waits');
  const idle = queue.idle();
  await end('a1');
  await idle;
  expect(started).toEqual(['a1']);
});
