import { estimatedCompletion } from '@retrigger/domain/task/estimate.ts';
import type { TaskState } from '@retrigger/domain/task/state.ts';
import { describe, expect, test } from 'vitest';
import { completed, create, failed, trigger } from './command-samples.ts';
import { type History, MORNING, NO_HISTORY, runningExecution, step } from './task-history.ts';

const base = step(NO_HISTORY, create(), MORNING).history;
const draft = base.state as TaskState;

const afterRuns = (...durationsMs: number[]): History =>
  durationsMs.reduce((history, duration, index) => {
    const running = step(history, trigger({ commandId: `c-${index}` }), MORNING).history;
    const ended = step(running, completed(runningExecution(running)), (running.head.at as number) + duration).history;
    return { ...ended, state: ended.state && { ...ended.state, status: 'Draft' } };
  }, base);

const estimateMs = (state: TaskState): number => Date.parse(estimatedCompletion(state, MORNING)) - MORNING;

describe('the estimated completion', () => {
  test('is 30 s ahead when nothing is known', () => {
    expect(estimateMs(draft)).toBe(30_000);
  });

  test('is the median of the last completed executions', () => {
    expect(estimateMs(afterRuns(1_000, 9_000, 2_000).state as TaskState)).toBe(2_000);
    expect(estimateMs(afterRuns(1_000, 2_000, 3_000, 10_001).state as TaskState)).toBe(2_500);
  });

  test('remembers ten executions, the last', () => {
    const { state } = afterRuns(...Array<number>(10).fill(1_000), ...Array<number>(10).fill(5_000));
    expect(state?.durationsMs).toEqual(Array(10).fill(5_000));
    expect(estimateMs(state as TaskState)).toBe(5_000);
  });

  test('takes no account of executions that failed', () => {
    const running = step(base, trigger(), MORNING).history;
    const { state } = step(running, failed(runningExecution(running)), MORNING + 5_000).history;
    expect(estimateMs(state as TaskState)).toBe(30_000);
  });

  test("is the task's own estimate when it has one", () => {
    expect(estimateMs({ ...draft, estimatedDuration: '2m', durationsMs: [1_000] })).toBe(120_000);
  });

  test("is an instant however long the task's own estimate is", () => {
    expect(estimateMs({ ...draft, estimatedDuration: '999999999999999d' })).toBe(366 * 86_400_000);
  });
});
