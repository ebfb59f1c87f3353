import type { CommandHeader } from '@retrigger/domain/command.ts';
import { TENANT_STREAM } from '@retrigger/domain/identifiers.ts';
import type { SealedKind } from '@retrigger/domain/privacy/personal-fields.ts';
import { sealValue } from '@retrigger/domain/privacy/sealed-value.ts';
import type { TaskCommandBody } from '@retrigger/domain/task/commands.ts';
import { taskDecider } from '@retrigger/domain/task/decider.ts';
import { describe, expect, test } from 'vitest';
import { command, completed, create, failed } from './command-samples.ts';
import { given } from './decider-spec.ts';

const KEY = { token: `k_${'a'.repeat(22)}`, key: Buffer.alloc(32, 1) };
const sealed = (kind: SealedKind) => sealValue(KEY, { tenantId: 'acme', taskId: 'deploy', kind }, 'c', 'personal') as never;

const createSensitive = command(
  { type: 'CreateTask', body: { type: 'deployment', sensitive: true, context: sealed('context') } },
  { commandId: 'c-create' },
);
const trigger = command({ type: 'TriggerTask', body: { context: sealed('context') } }, { commandId: 'c-trigger' });
const executionOf = (history: { state?: { execution: { executionId: string } | null } | undefined }): string =>
  history.state?.execution?.executionId ?? '';
const door = { roles: ['admin' as const], fingerprint: {} };
const erase = (subject: 'user' | 'task', token: string | null, header: Partial<CommandHeader> = {}) =>
  command({ type: 'EraseData', body: { subject, token } }, { commandId: 'c-erase', ...door, ...header });

describe('an erasure', () => {
  test('of a task is an event of the task, which stays as it is', () => {
    const { past, history, ...then } = given(createSensitive).when(erase('task', KEY.token));
    const event = then.thenEvent({ eventType: 'DataErased', newState: 'Draft', metadata: { subject: 'task', token: KEY.token } });
    expect(history.state).toEqual(past.state);
    expect(taskDecider.answer(event, history.state)).toEqual({
      kind: 'accepted',
      answer: { subject: 'task', erased: true, eventId: event.eventId },
    });
  });

  test('of a user is an event of the tenant’s own stream, which is no task', () => {
    const { history, ...then } = given().when(erase('user', 'u_token', { taskId: TENANT_STREAM }));
    then.thenEvent({ eventType: 'DataErased', metadata: { subject: 'user', token: 'u_token' } });
    expect(history.state).toBeUndefined();
  });

  test('of what is not there (any more) is answered and leaves no event', () => {
    given(createSensitive)
      .when(erase('task', null))
      .thenAnswers({ kind: 'accepted', answer: { subject: 'task', erased: false } });
    const nobody = given().when(erase('user', null, { taskId: TENANT_STREAM }));
    nobody.thenAnswers({ kind: 'accepted', answer: { subject: 'user', erased: false } });
  });

  test('of a task that is not sensitive is refused', () => {
    given(create()).when(erase('task', KEY.token)).thenRefuses('invalid_state');
  });

  test('is an admin’s to ask for', () => {
    given(createSensitive)
      .when(erase('task', KEY.token, { roles: ['operator'] }))
      .thenRefuses('forbidden');
    const { decision } = {
      decision: taskDecider.decide(
        undefined,
        erase('user', 'u_token', { taskId: TENANT_STREAM, roles: ['operator'] }),
        { sequence: 0, hash: '', at: 0, position: null },
        0,
        new Map(),
      ),
    };
    expect(decision).toMatchObject({ kind: 'answered', outcome: { kind: 'refused', refusal: { code: 'forbidden' } } });
  });
});

describe('a sensitive task', () => {
  const OPEN: [string, TaskCommandBody][] = [
    ['trigger', { type: 'TriggerTask', body: { context: { canary: 1 } } }],
    ['reason of a trigger', { type: 'TriggerTask', body: { triggerReason: 'canary' } }],
    ['patch', { type: 'ChangeTask', body: { context: { canary: 1 } } }],
    ['patch in two steps', { type: 'ChangeTask', body: { dependencies: ['other'], context: { canary: 1 } } }],
    ['reschedule', { type: 'RescheduleTask', body: { schedule: { strategy: 'immediate' }, reason: 'canary' } }],
    ['cancel', { type: 'CancelTask', body: { reason: 'canary' } }],
  ];
  test.each(OPEN)('takes no %s that no door has sealed, and its events hold nothing of it (W3)', (_, body) => {
    const { history, ...then } = given(createSensitive).when(command(body, { commandId: 'c-open' }));
    then.thenRefuses('invalid_request');
    expect(JSON.stringify(history)).not.toContain('canary');
  });

  test('takes no report that no door has sealed (W3)', () => {
    for (const report of [completed, failed])
      given(createSensitive, trigger)
        .when((history) => report(executionOf(history)))
        .thenRefuses('invalid_request');
  });

  test('is not created with what no door has sealed (W3)', () => {
    const open = command({ type: 'CreateTask', body: { type: 'deployment', sensitive: true, context: { canary: 1 } } });
    const then = given().when(open);
    expect(then.history.state).toBeUndefined();
  });

  test('takes what is sealed like any other task', () => {
    given(createSensitive, trigger)
      .when((history) =>
        command(
          { type: 'CompleteExecution', body: { executionId: executionOf(history), result: sealed('result') } },
          { commandId: 'c-done' },
        ),
      )
      .thenEvent({ eventType: 'TaskCompleted', newState: 'Completed' });
  });
});
