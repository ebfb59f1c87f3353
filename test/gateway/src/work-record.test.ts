import { decodeWork, encodeWork } from '@retrigger/contract/work-record.ts';
import type { BulkCommandBody } from '@retrigger/domain/bulk/commands.ts';
import type { Command } from '@retrigger/domain/command.ts';
import type { TaskCommandBody } from '@retrigger/domain/task/commands.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const header = {
  commandId: 'c-1',
  tenantId: 'default',
  taskId: 't',
  actor: { id: 'ann', type: 'user' as const },
  roles: ['admin' as const],
  correlationId: 'r-1',
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  fingerprint: { type: 'abc' },
  replyTo: 'here',
};

const BODIES: (TaskCommandBody | BulkCommandBody)[] = [
  {
    type: 'CreateTask',
    body: {
      type: 'job',
      dependencies: ['a'],
      context: { deep: [{ a: null }] },
      target: { url: 'https://example.com/', method: 'PUT', headers: { 'x-a': 'b' }, timeout: '5s' },
      retry: { maxAttempts: 3, jitter: 'none' },
      deadline: '1h',
      critical: true,
      sensitive: false,
      estimatedDuration: '5m',
      onMissed: 'skip',
      schedule: { strategy: 'delayed', delay: '5m' },
    },
  },
  { type: 'ChangeTask', body: { target: null, deadline: null, dependencies: [] } },
  { type: 'TriggerTask', body: { context: {}, triggerReason: 'why not', conditions: { dependenciesComplete: true } } },
  { type: 'RescheduleTask', body: { schedule: { strategy: 'cron', cron: '0 9 * * *' }, force: true, reason: 'later' } },
  { type: 'CancelTask', body: {} },
  { type: 'StartExecution', body: { executionId: 'e' } },
  { type: 'HeartbeatExecution', body: { executionId: 'e' } },
  { type: 'CompleteExecution', body: { executionId: 'e', result: [1, 'two', null] } },
  { type: 'FailExecution', body: { executionId: 'e', error: { code: 'x', message: 'y' }, retryable: false } },
  { type: 'Wake', body: { wakeAt: 5, silentSince: null } },
  { type: 'Check', body: {} },
  { type: 'ConfirmDependencies', body: { proposal: 'p' } },
  { type: 'ReserveTask', body: { bulkId: 'b', startedAt: 5, asked: { type: 'TriggerTask', body: { context: {}, triggerReason: 'r' } } } },
  {
    type: 'ReserveTask',
    body: { bulkId: 'b', startedAt: 5, asked: { type: 'RescheduleTask', body: { schedule: { strategy: 'immediate' } } } },
  },
  { type: 'RetryReservation', body: { bulkId: 'b' } },
  { type: 'ConfirmReservation', body: { bulkId: 'b' } },
  { type: 'CommitTask', body: { bulkId: 'b' } },
  { type: 'ReleaseTask', body: { bulkId: 'b' } },
  {
    type: 'BulkTrigger',
    body: {
      tasks: [{ taskId: 'a', context: { n: 1 }, conditions: { dependenciesComplete: ['b'] } }],
      filter: { status: 'Failed', type: 'job', owner: 'ann', critical: true, taskIds: ['a'] },
      allOrNothing: true,
      context: {},
      triggerReason: 'r',
    },
  },
  {
    type: 'BulkReschedule',
    body: { tasks: [{ taskId: 'a', schedule: { strategy: 'immediate' } }], schedule: { strategy: 'delayed', delay: '5m' } },
  },
  {
    type: 'GatherResults',
    body: {
      results: [
        { taskId: 'a', kind: 'accepted', executionId: 'e' },
        { taskId: 'b', kind: 'accepted', nextExecution: '2026-01-31T12:00:00.000Z' },
        { taskId: 'c', kind: 'refused', error: { code: 'x', title: 'X', detail: 'y', conditions: [{ taskId: 'z' }] } },
        { taskId: 'd', kind: 'reserved' },
        { taskId: 'e', kind: 'released' },
      ],
    },
  },
  { type: 'AskBulk', body: { taskId: 'a' } },
];

test.each(BODIES)('$type is read as it was written', (body) => {
  const command: Command = { ...header, ...body };
  const record = encodeWork(command);
  expect(record.key).toBe('default/t');
  expect(record.headers).toEqual({ traceparent: header.traceparent });
  expect(decodeWork(record)).toEqual({ kind: 'command', command });
});

test.each([
  ['no UTF-8', Buffer.from([0xff]), /UTF-8/],
  ['no JSON', Buffer.from('{'), /not JSON/],
  ['no object', Buffer.from('[]'), /not an object/],
  ['an unknown type', Buffer.from('{"type":"Explode"}'), /unknown command type "Explode"/],
  ['no type', Buffer.from('{}'), /unknown command type/],
  ['a header field missing', Buffer.from('{"type":"CancelTask","body":{}}'), /CancelTask: commandId/],
  ['a field too many', Buffer.from(JSON.stringify({ ...header, type: 'CancelTask', body: {}, extra: 1 })), /extra/],
  ['a wrong body', Buffer.from(JSON.stringify({ ...header, type: 'TriggerTask', body: { context: [] } })), /TriggerTask: body.context/],
])('%s is undecodable and says why', (_, value, reason) => {
  expect(decodeWork({ value })).toEqual({ kind: 'undecodable', reason: expect.stringMatching(reason) });
});

test('no bytes make decoding throw', () => {
  const bytes = fc.oneof(
    fc.uint8Array(),
    fc.json().map((text) => Buffer.from(text)),
  );
  fc.assert(
    fc.property(bytes, (value) => {
      expect(['command', 'undecodable']).toContain(decodeWork({ value }).kind);
    }),
  );
});

const anything = fc.anything({ withBigInt: false, withDate: true, withNullPrototype: true, maxDepth: 4 });
const whole = fc.constantFrom(...BODIES).map((body) => ({ ...header, ...body }) as { [name: string]: unknown });
/** A whole record with one thing in it, at any depth, replaced, left out or added. */
const damaged = fc.tuple(whole, fc.nat(), anything, fc.constantFrom('replaced', 'left out', 'added')).map(([command, at, other, how]) => {
  const copy = JSON.parse(JSON.stringify(command));
  const places: [{ [name: string]: unknown }, string][] = [];
  const collect = (value: unknown) => {
    if (typeof value !== 'object' || value === null) return;
    for (const name of Object.keys(value)) {
      places.push([value as { [name: string]: unknown }, name]);
      collect((value as { [name: string]: unknown })[name]);
    }
  };
  collect(copy);
  const [holder, name] = places[at % places.length] ?? [copy, 'type'];
  if (how === 'left out') delete holder[name];
  else holder[how === 'added' ? `${name}x` : name] = other;
  return Buffer.from(JSON.stringify(copy) ?? 'null');
});
/** The bytes of a whole record with some of them changed, or cut off. */
const garbled = fc.tuple(whole, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 8 }), fc.nat()).map(([command, flips, cut]) => {
  const bytes = Buffer.from(JSON.stringify(command));
  for (const [at, byte] of flips) bytes[at % bytes.length] = byte;
  return bytes.subarray(0, 1 + (cut % (2 * bytes.length)));
});

test('a record of ours that is damaged anywhere is a command or undecodable with a reason, and never throws', () => {
  let undecodable = 0;
  fc.assert(
    fc.property(fc.oneof(damaged, garbled), (value) => {
      const decoded = decodeWork({ value });
      if (decoded.kind === 'command') {
        expect(decodeWork(encodeWork(decoded.command))).toEqual(decoded);
        return;
      }
      undecodable++;
      expect(decoded).toEqual({ kind: 'undecodable', reason: expect.stringMatching(/./) });
      expect(decoded.reason.length).toBeLessThan(1_000);
    }),
    { numRuns: 2_000 },
  );
  expect(undecodable, 'most of them can’t be read').toBeGreaterThan(500);
});
