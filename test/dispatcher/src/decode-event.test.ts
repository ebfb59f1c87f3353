import { jsonEvents } from '@retrigger/contract/event-codec.ts';
import { decodeEvent } from '@retrigger/dispatcher/decode-event.ts';
import { expect, test } from 'vitest';

const event = {
  eventType: 'TaskTriggered',
  tenantId: 'acme',
  taskId: 'task-1',
  eventId: 'e',
  sequence: 2,
  timestamp: '2026-01-01T00:00:00.000Z',
  actor: { id: 'a', type: 'user' },
  correlationId: 'c',
  traceparent: '00-a-b-01',
  metadata: { executionId: 'task-1.x' },
};

const decode = (value: string | Buffer, headers: { [name: string]: string } = {}, key = 'acme/task-1') =>
  decodeEvent({ topic: 'retrigger.events', partition: 0, offset: 7, at: 0, key, value: Buffer.from(value), headers }, jsonEvents);

test('a trigger is read down to what a call needs', async () => {
  const { tenantId, taskId, sequence, correlationId, traceparent } = event;
  const kept = { tenantId, taskId, sequence, correlationId, traceparent };
  const read = await decode(JSON.stringify(event), { eventType: 'TaskTriggered' });
  expect(read).toEqual({ kind: 'triggered', event: { ...kept, key: 'acme/task-1', executionId: 'task-1.x' } });
});

test('another type is passed over, by its header without reading the value', async () => {
  expect(await decode('{', { eventType: 'TaskCreated' })).toEqual({ kind: 'other' });
  expect(await decode(JSON.stringify({ ...event, eventType: 'TaskCreated' }))).toEqual({ kind: 'other' });
});

test('T9: a trigger of a task that had no target is passed over: nobody is called for it, whatever the task has by now', async () => {
  const without = (hasTarget: boolean) => JSON.stringify({ ...event, metadata: { ...event.metadata, hasTarget } });
  expect(await decode(without(false))).toEqual({ kind: 'other' });
  expect((await decode(without(true))).kind).toBe('triggered');
});

test.each([
  ['no JSON', '{', 'the value is not JSON'],
  ['no UTF-8', Buffer.from([0x22, 0xff, 0x22]), 'the value is not valid UTF-8'],
  ['null', 'null', 'the value is not an object'],
  ['a list', '[]', 'the value is not an object'],
  ['another task', JSON.stringify({ ...event, taskId: 'task-2' }), "the event is not of the task in the record's key"],
  ['no sequence', JSON.stringify({ ...event, sequence: '2' }), 'sequence is not a number'],
  ['no metadata', JSON.stringify({ ...event, metadata: undefined }), 'metadata is not a object'],
  ['no execution', JSON.stringify({ ...event, metadata: {} }), 'the event lacks its sequence, correlationId or executionId'],
])('%s is undecodable', async (_what, value, reason) => {
  expect(await decode(value)).toEqual({ kind: 'undecodable', reason });
});
