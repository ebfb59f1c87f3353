import { taskDecider } from '@retrigger/domain/task/decider.ts';
import { taskView } from '@retrigger/domain/task/view.ts';
import { describe, expect, test } from 'vitest';
import { cancel, command, completed, create, failed, heartbeat, started, trigger } from './command-samples.ts';
import { given } from './decider-spec.ts';
import { type History, runningExecution } from './task-history.ts';

const running = (report: (executionId: string) => ReturnType<typeof started>) => (history: History) => report(runningExecution(history));
const ended = (report: (executionId: string) => ReturnType<typeof started>) => (history: History) =>
  report(history.state?.lastExecution?.executionId ?? '');

describe('creating', () => {
  test('makes a Draft owned by whoever asked', () => {
    const decided = given().when(create());
    decided.thenEvent({ eventType: 'TaskCreated', newState: 'Draft', metadata: { owner: 'ada', type: 'deployment' } });
    decided.thenState({ status: 'Draft', owner: 'ada', version: 1, retryCount: 0, execution: null, dependencies: [] });
  });

  test("fills in the retry policy's defaults", () => {
    const body = { type: 't', retry: { maxAttempts: 3 } };
    given()
      .when(command({ type: 'CreateTask', body }))
      .thenState({ retry: { maxAttempts: 3, baseDelay: '1s', maxDelay: '24h', jitter: 'full' } });
  });

  test('gives a target its first secret generation, which nobody is shown', () => {
    const { history } = given().when(command({ type: 'CreateTask', body: { type: 't', target: { url: 'https://example.com' } } }));
    expect(history.state?.target).toEqual({ url: 'https://example.com', secretGeneration: 1 });
    expect(history.state && taskView(history.state)).toMatchObject({ target: { url: 'https://example.com' } });
    expect(JSON.stringify(history.state && taskView(history.state))).not.toContain('secretGeneration');
  });

  test('refuses the second task of the same id, and leaves the first as it is', () => {
    given(create())
      .when(create({ commandId: 'c-other' }))
      .thenRefuses('task_exists');
  });
});

describe("a task that doesn't exist", () => {
  test.each([trigger(), cancel(), started('deploy.x'), completed('deploy.x'), failed('deploy.x')])(
    'answers $type with task_not_found and writes nothing',
    (absent) => {
      given()
        .when(absent)
        .thenAnswers({ kind: 'refused', refusal: { code: 'task_not_found', detail: 'There is no task deploy' } });
    },
  );
});

describe('triggering', () => {
  test('makes a Draft Running, with an execution and a run of its own', () => {
    const decided = given(create()).when(trigger());
    const event = decided.thenEvent({
      eventType: 'TaskTriggered',
      newState: 'Running',
      metadata: { attempt: 1, context: { region: 'eu' }, triggerReason: null },
    });
    decided.thenState({ status: 'Running', execution: { attempt: 1, startedAt: null, triggeredAt: event.timestamp } });
  });

  test("puts the command's context in place of the task's own", () => {
    const decided = given(create()).when(command({ type: 'TriggerTask', body: { context: { region: 'us' }, triggerReason: 'hotfix' } }));
    decided.thenEvent({ eventType: 'TaskTriggered', metadata: { context: { region: 'us' }, triggerReason: 'hotfix' } });
    decided.thenState({ context: { region: 'eu' } });
  });

  test('answers with the execution, the run and the estimate', () => {
    const decided = given(create()).when(trigger());
    const event = decided.thenEvent({ eventType: 'TaskTriggered' });
    expect(taskDecider.answer(event, decided.history.state)).toEqual({
      kind: 'accepted',
      answer: {
        executionId: decided.history.state?.execution?.executionId,
        runId: decided.history.state?.execution?.runId,
        taskId: 'deploy',
        estimatedCompletion: '2026-03-01T09:00:30.000Z',
        message: 'Task triggered',
      },
    });
  });

  test('is possible again after a failure', () => {
    given(create(), trigger(), running(failed))
      .when(trigger({ commandId: 'c-again' }))
      .thenEvent({ eventType: 'TaskTriggered', newState: 'Running' });
  });

  test('is refused while Running (T4)', () => {
    given(create(), trigger())
      .when(trigger({ commandId: 'c-again' }))
      .thenRefuses('task_already_running');
  });

  test('is refused when Completed', () => {
    given(create(), trigger(), running(completed))
      .when(trigger({ commandId: 'c-again' }))
      .thenRefuses('invalid_state');
  });

  test('is refused when Cancelled', () => {
    given(create(), cancel()).when(trigger()).thenRefuses('invalid_state');
  });

  test("is refused to an operator who doesn't own the task (P1)", () => {
    given(create())
      .when(trigger({ actor: { id: 'eve', type: 'user' } }))
      .thenRefuses('forbidden');
  });

  test("is possible for an admin who doesn't own it, and for the cluster itself", () => {
    given(create())
      .when(trigger({ actor: { id: 'root', type: 'user' }, roles: ['admin'] }))
      .thenEvent({ eventType: 'TaskTriggered' });
    given(create())
      .when(trigger({ actor: { id: 'retrigger', type: 'system' }, roles: [] }))
      .thenEvent({ eventType: 'TaskTriggered' });
  });

  test('gives another execution under the same commandId at another place in the stream', () => {
    const first = given(create()).when(trigger()).history.state?.execution;
    const later = given(create(), trigger({ commandId: 'c-1' }), running(failed)).when(trigger()).history.state?.execution;
    expect(later?.executionId).not.toBe(first?.executionId);
    expect(later?.runId).not.toBe(first?.runId);
  });
});

describe('reporting', () => {
  test('started is noted once', () => {
    given(create(), trigger()).when(running(started)).thenEvent({ eventType: 'TaskStarted', newState: 'Running' });
    given(create(), trigger(), running(started))
      .when(running(started))
      .thenAnswers({ kind: 'accepted', answer: { heartbeatTimeout: '60s' } });
  });

  test('completed ends the execution with its result and sets the retry count back', () => {
    const decided = given(create(), trigger(), running(failed), trigger({ commandId: 'c-2' })).when(running(completed));
    decided.thenEvent({ eventType: 'TaskCompleted', newState: 'Completed', metadata: { result: { ok: true } } });
    decided.thenState({
      status: 'Completed',
      execution: null,
      retryCount: 0,
      lastExecution: { status: 'Completed', result: { ok: true } },
    });
  });

  test('failed ends the execution with its error and counts', () => {
    const decided = given(create(), trigger()).when(running(failed));
    decided.thenEvent({
      eventType: 'TaskFailed',
      newState: 'Failed',
      metadata: { error: { code: 'boom', message: 'It broke' }, willRetry: false },
    });
    decided.thenState({ status: 'Failed', execution: null, retryCount: 1, lastExecution: { status: 'Failed' } });
  });

  test('the same end again is answered like the first and writes nothing (T6)', () => {
    const again = { kind: 'accepted', answer: { heartbeatTimeout: '60s' } } as const;
    given(create(), trigger(), running(completed)).when(ended(completed)).thenAnswers(again);
    given(create(), trigger(), running(failed)).when(ended(failed)).thenAnswers(again);
  });

  test('another end than the first is stale (T5)', () => {
    given(create(), trigger(), running(completed)).when(ended(failed)).thenRefuses('stale_execution');
    given(create(), trigger(), running(failed)).when(ended(completed)).thenRefuses('stale_execution');
    given(create(), trigger(), running(completed))
      .when(ended(started))
      .thenAnswers({ kind: 'accepted', answer: { heartbeatTimeout: '60s' } });
  });

  test('an earlier report that comes again after the end is answered like the first (T6)', () => {
    const again = { kind: 'accepted', answer: { heartbeatTimeout: '60s' } } as const;
    for (const report of [started, heartbeat]) {
      given(create(), trigger(), running(started), running(completed)).when(ended(report)).thenAnswers(again);
      given(create(), trigger(), cancel()).when(ended(report)).thenRefuses('stale_execution');
    }
  });

  test('a heartbeat that comes first counts as the start; later ones write nothing', () => {
    given(create(), trigger()).when(running(heartbeat)).thenEvent({ eventType: 'TaskStarted' });
    given(create(), trigger(), running(heartbeat))
      .when(running(heartbeat))
      .thenAnswers({ kind: 'accepted', answer: { heartbeatTimeout: '60s' } });
  });

  test('a late report of a cancelled execution is stale (T5)', () => {
    given(create(), trigger(), cancel()).when(ended(completed)).thenRefuses('stale_execution');
  });

  test('a late report never touches the execution that took its place (T5)', () => {
    given(create(), trigger(), running(failed), trigger({ commandId: 'c-2' }))
      .when(ended(completed))
      .thenRefuses('stale_execution');
  });

  test('an execution nobody knows is stale', () => {
    given(create()).when(completed('deploy.nothing')).thenRefuses('stale_execution');
  });
});

describe('cancelling', () => {
  test('ends the running execution', () => {
    const decided = given(create(), trigger()).when(cancel());
    decided.thenEvent({ eventType: 'TaskCancelled', newState: 'Cancelled' });
    decided.thenState({ status: 'Cancelled', execution: null, lastExecution: { status: 'Cancelled' } });
  });

  test('is possible from Draft and Failed', () => {
    given(create())
      .when(cancel())
      .thenEvent({ eventType: 'TaskCancelled', metadata: { executionId: null } });
    given(create(), trigger(), running(failed)).when(cancel()).thenEvent({ eventType: 'TaskCancelled', newState: 'Cancelled' });
  });

  test('is refused when Completed or Cancelled already', () => {
    given(create(), trigger(), running(completed)).when(cancel()).thenRefuses('invalid_state');
    given(create(), cancel())
      .when(cancel({ commandId: 'c-again' }))
      .thenRefuses('invalid_state');
  });

  test("is refused to an operator who doesn't own the task (P1)", () => {
    given(create())
      .when(cancel({ actor: { id: 'eve', type: 'user' } }))
      .thenRefuses('forbidden');
  });
});

describe('evolving', () => {
  test("refuses a stream that doesn't begin with TaskCreated", () => {
    const orphan = given(create()).when(trigger()).thenEvent({ eventType: 'TaskTriggered' });
    expect(() => taskDecider.evolve(undefined, orphan)).toThrow('comes before TaskCreated');
  });
});
