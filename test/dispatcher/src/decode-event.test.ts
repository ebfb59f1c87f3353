import { decodeEvent } from '@retrigger/dispatcher/decode-event.ts';
import { expect, test } from 'vitest';

const event = {
  eventType: 'TaskTriggered',
  tenantId: 'acme',
  taskId: 'task-1',
  sequence: 2,
  correlationId: 'c',
  traceparent: '00-a-b-01',
  metadata: { executionId: 'task-1.x' },
};

const decode = (value: string | Buffer, headers: { [name: string]: string } = {}, key = 'acme/task-1') =>
  decodeEvent({ topic: 'retrigger.events', partition: 0, offset: 7, at: 0, key, value: Buffer.from(value), headers });

test('a trigger is read down to what a call needs', () => {
  const { metadata: _, eventType: __, ...kept } = event;
  const read = decode(JSON.stringify(event), { eventType: 'TaskTriggered' });
  expect(read).toEqual({ kind: 'triggered', event: { ...kept, key: 'acme/task-1', executionId: 'task-1.x' } });
});

test('another type is passed over, by its header without reading the value', () => {
  expect(decode('{', { eventType: 'TaskCreated' })).toEqual({ kind: 'other' });
  expect(decode(JSON.stringify({ ...event, eventType: 'TaskCreated' }))).toEqual({ kind: 'other' });
});

test.each([
  ['no JSON', '{', 'the value is not JSON'],
  ['no UTF-8', Buffer.from([0x22, 0xff, 0x22]), 'the value is not valid UTF-8'],
  ['null', 'null', 'the value is not an event'],
  ['a list', '[]', 'the value is not an event'],
  ['another task', JSON.stringify({ ...event, taskId: 'task-2' }), "the event is not of the task in the record's key"],
  ['no sequence', JSON.stringify({ ...event, sequence: '2' }), 'the event lacks its sequence, correlationId or executionId'],
  ['no metadata', JSON.stringify({ ...event, metadata: undefined }), 'the event lacks its sequence, correlationId or executionId'],
])('%s is undecodable', (_what, value, reason) => {
  expect(decode(value)).toEqual({ kind: 'undecodable', reason });
});
