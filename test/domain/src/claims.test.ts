import type { Command } from '@retrigger/domain/command.ts';
import { fingerprint } from '@retrigger/domain/idempotency.ts';
import { lookup } from '@retrigger/domain/task/lookup.ts';
import type { TaskState } from '@retrigger/domain/task/state.ts';
import { describe, expect, test } from 'vitest';
import { cancel, command, completed, create, heartbeat, started, trigger } from './command-samples.ts';
import { given } from './decider-spec.ts';
import type { History } from './task-history.ts';

const doorOf = (id: string) => ({ actor: { id, type: 'executor' as const }, roles: ['executor' as const], fingerprint: fingerprint({}) });

const claim = (by: string, commandId = `claim-of-${by}`): Command =>
  command({ type: 'ClaimExecution', body: { claim: `wish-of-${by}` } }, { ...doorOf(by), commandId });

const current = ({ state }: History): string => state?.execution?.executionId ?? state?.lastExecution?.executionId ?? '';
/** A report of the current execution, or of the last one, by somebody who came through a door. */
const by = (id: string, report: (executionId: string) => Command) => (history: History) => ({ ...report(current(history)), ...doorOf(id) });

const target = { url: 'https://example.com/run' };
const withTarget = (): Command => command({ type: 'CreateTask', body: { type: 'deployment', target } }, { commandId: 'c-create' });
const retarget = (to: typeof target | null): Command =>
  command({ type: 'ChangeTask', body: { target: to } }, { commandId: 'c-retarget', roles: ['admin'] });

const since = ({ state }: History): number | null => lookup(state as TaskState).claimableSince;

describe('claiming', () => {
  test('starts the execution in the claimer’s name and gives all that is needed to run it', () => {
    const decided = given(create(), trigger()).when(claim('w1'));
    const { executionId, runId } = decided.past.state?.execution ?? {};
    decided.thenEvent({
      eventType: 'TaskStarted',
      newState: 'Running',
      metadata: { executionId: executionId ?? '', taken: true, claim: 'wish-of-w1' },
    });
    decided.thenState({ execution: { executor: 'w1', startedAt: decided.history.state?.updatedAt } });
    expect(decided.outcome()).toEqual({
      kind: 'accepted',
      answer: { executionId, runId, taskId: 'deploy', type: 'deployment', attempt: 1, context: { region: 'eu' }, heartbeatTimeout: '60s' },
    });
  });

  test('the second to claim is told so, and the history says nothing of it', () => {
    const refusal = { kind: 'refused', refusal: { code: 'stale_execution' } };
    expect(given(create(), trigger(), claim('w1')).when(claim('w2')).decision).toMatchObject({ kind: 'answered', outcome: refusal });
    expect(given(create(), trigger(), cancel()).when(claim('w2')).decision).toMatchObject({ kind: 'answered', outcome: refusal });
    expect(given(create()).when(claim('w2')).decision).toMatchObject({ kind: 'answered', outcome: refusal });
  });

  test('counts as the first report: silence after it fails the attempt, which is tried again by policy', () => {
    const retried = command({ type: 'CreateTask', body: { type: 'deployment', retry: { maxAttempts: 2 } } }, { commandId: 'c-create' });
    const wake = ({ state }: History): Command => {
      const body = { wakeAt: lookup(state as TaskState).wakeAt ?? 0, silentSince: null };
      return command({ type: 'Wake', body }, { commandId: 'c-wake', actor: { id: 'scheduler', type: 'system' }, roles: [] });
    };
    given(retried, trigger(), claim('w1'))
      .when(wake)
      .thenEvent({
        eventType: 'TaskFailed',
        newState: 'Scheduled',
        metadata: { error: { code: 'heartbeat_timeout', message: expect.any(String) }, willRetry: true },
      });
  });

  test('needs the permission', () => {
    given(create(), trigger())
      .when({ ...claim('w1'), roles: ['operator'] })
      .thenRefuses('forbidden');
  });

  test('is possible as long as nobody has the execution', () => {
    const waiting = given(create(), trigger()).when(cancel());
    expect(since(waiting.past)).toBe(Date.parse(waiting.past.state?.execution?.triggeredAt ?? ''));
    expect(since(waiting.history)).toBeNull();
    expect(since(given(create(), trigger()).when(claim('w1')).history)).toBeNull();
    expect(since(given(create(), trigger()).when(by('w1', started)).history)).toBeNull();
    expect(since(given(create()).when(trigger()).past)).toBeNull();
  });
});

describe('an execution is the dispatcher’s or the executors’, never both (T9)', () => {
  const isClaimed = (...past: Command[]) => given(...past).when(claim('w1')).stored?.event.eventType === 'TaskStarted';

  test('a task with a target can not be claimed', () => {
    expect(isClaimed(withTarget(), trigger())).toBe(false);
    expect(since(given(withTarget()).when(trigger()).history)).toBeNull();
  });

  test('a target that comes after the trigger leaves the execution to the executors', () => {
    expect(isClaimed(create(), trigger(), retarget(target))).toBe(true);
  });

  test('a target that is taken away before it was called does too', () => {
    expect(isClaimed(withTarget(), trigger(), retarget(null))).toBe(true);
  });
});

describe('whoever has an execution is the only one to report it (T10)', () => {
  const taken = /taken by another executor/;

  test.each([
    ['claims it', claim('w1')],
    ['reports it started', by('w1', started)],
    ['sends its first heartbeat', by('w1', heartbeat)],
  ])('the one who %s', (_, first) => {
    for (const report of [started, heartbeat, completed]) {
      const other = given(create(), trigger(), first).when(by('w2', report));
      other.thenRefuses('stale_execution');
      expect(other.stored?.event.metadata).toMatchObject({ detail: expect.stringMatching(taken) });
    }
    given(create(), trigger(), first).when(by('w1', completed)).thenEvent({ eventType: 'TaskCompleted' });
  });

  test('also after its end', () => {
    const past = [create(), trigger(), claim('w1'), by('w1', completed)];
    given(...past)
      .when(by('w1', completed))
      .thenAnswers({ kind: 'accepted', answer: { heartbeatTimeout: '60s' } });
    const other = given(...past).when(by('w2', completed));
    other.thenRefuses('stale_execution');
    expect(other.stored?.event.metadata).toMatchObject({ detail: expect.stringMatching(taken) });
    other.thenState({ lastExecution: { executor: 'w1', status: 'Completed' } });
  });

  test('a target that reports itself may use any name: the dispatcher started it', () => {
    given(withTarget(), trigger(), (history) => started(current(history)))
      .when(by('a-service', completed))
      .thenEvent({ eventType: 'TaskCompleted' });
  });

  test('one that nobody has started may be ended by anybody', () => {
    given(create(), trigger()).when(by('w2', completed)).thenEvent({ eventType: 'TaskCompleted' });
  });

  test('a late report says what became of the execution', () => {
    const detail = (...past: Command[]) => given(...past).when(by('w1', completed)).stored?.event.metadata;
    expect(detail(create(), trigger(), cancel())).toMatchObject({ detail: expect.stringContaining('cancelled') });
  });
});
