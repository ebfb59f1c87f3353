import { textOf } from '@retrigger/delivery/event-text.ts';
import type { Event } from '@retrigger/domain/event.ts';
import { expect, test } from 'vitest';
import { notification } from './notification-samples.ts';

const NEXT = '2026-03-02T06:00:00.000Z';

test.each<[string, Event['metadata'], string]>([
  ['TaskCreated', { type: 'deployment', owner: 'ann' }, 'Task deploy-42 was created'],
  ['TaskTriggered', { triggerReason: null, attempt: 1 }, 'Task deploy-42 was triggered'],
  ['TaskTriggered', { triggerReason: 'why', attempt: 3 }, 'Task deploy-42 was triggered (attempt 3)'],
  ['TaskStarted', {}, 'Task deploy-42 has started'],
  ['TaskCompleted', {}, 'Task deploy-42 has completed'],
  ['TaskFailed', { error: { code: 'x', message: 'y' }, willRetry: false }, 'Task deploy-42 has failed'],
  [
    'TaskFailed',
    { error: { code: 'x', message: 'y' }, willRetry: true, nextExecution: NEXT },
    `Task deploy-42 has failed; it is tried again at ${NEXT}`,
  ],
  ['TaskCancelled', { reason: null }, 'Task deploy-42 was cancelled'],
  [
    'CommandRefused',
    { command: 'TriggerTask', title: 'Task is already running', detail: 'd' },
    'Task deploy-42 refused TriggerTask: Task is already running',
  ],
  ['TaskReserved', {}, 'Task deploy-42 has a new event, TaskReserved'],
])('%s %j reads: %s', (eventType, metadata, headline) => {
  expect(textOf(notification(eventType, metadata)).headline).toBe(headline);
});

test('a critical task that is rescheduled tells the new schedule and the one before', () => {
  const metadata = {
    ...{ strategy: 'cron', schedule: { strategy: 'cron', cron: '0 6 * * *', timeZone: 'Europe/Berlin' }, nextExecution: NEXT },
    ...{ previousSchedule: { strategy: 'conditional', conditions: {} }, reason: 'freeze is over' },
  };
  const { headline, details } = textOf(notification('TaskRescheduled', metadata, { newState: 'Scheduled' }, true));
  expect(headline).toBe(`Critical task deploy-42 was rescheduled: it runs next at ${NEXT}`);
  expect(details).toEqual([
    ['Schedule', 'cron 0 6 * * * (Europe/Berlin)'],
    ['Before', 'when conditions hold'],
    ['Reason', 'freeze is over'],
    ['Status', 'Running → Scheduled'],
    ['By', 'ann'],
    ['When', '2026-03-01T10:00:00.000Z'],
    ['Event', 'e.0000000004'],
  ]);
});

test('a long text is cut, and who is no user is named with what they are', () => {
  const error = { code: 'x', message: 'y'.repeat(5_000) };
  const { details } = textOf(notification('TaskFailed', { error, willRetry: false }, { actor: { id: 'dispatcher', type: 'executor' } }));
  expect(Object.fromEntries(details).Error).toHaveLength(501);
  expect(Object.fromEntries(details).By).toBe('dispatcher (executor)');
});
