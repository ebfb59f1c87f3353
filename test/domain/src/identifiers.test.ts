import {
  derive,
  deriveExecutionId,
  deriveRunId,
  deriveTaskId,
  eventId,
  eventName,
  ID_PATTERN,
  MAX_EXECUTION_ID_LENGTH,
  sequenceOf,
  taskKey,
  taskOfExecution,
} from '@retrigger/domain/identifiers.ts';
import { assert, integer, property, stringMatching } from 'fast-check';
import { describe, expect, test } from 'vitest';

const ids = stringMatching(/^[A-Za-z0-9._~:@-]{1,128}$/);
const sequences = integer({ min: 1, max: 9_999_999_999 });

describe('identifiers', () => {
  test("an executionId leads back to its task, whatever the task's id looks like", () => {
    assert(
      property(
        ids,
        ids,
        sequences,
        (taskId, commandId, sequence) =>
          taskOfExecution(deriveExecutionId(taskId, taskKey('acme', taskId), commandId, sequence)) === taskId,
      ),
    );
  });

  test('an executionId of the longest task id is longer than other ids, and leads back to its task as well', () => {
    const taskId = 't'.repeat(128);
    const executionId = deriveExecutionId(taskId, taskKey('acme', taskId), 'c', 1);
    expect(executionId).toHaveLength(MAX_EXECUTION_ID_LENGTH);
    expect(taskOfExecution(executionId)).toBe(taskId);
  });

  test.each([
    '',
    'deploy',
    `.${'x'.repeat(22)}`,
    `deploy.${'x'.repeat(21)}`,
    `deploy.${'x'.repeat(21)}/`,
    `de/ploy.${'x'.repeat(22)}`,
    `${'x'.repeat(129)}.${'x'.repeat(22)}`,
  ])('%j is no executionId', (text) => {
    expect(taskOfExecution(text)).toBeUndefined();
  });

  test('an eventId leads back to its sequence, in its own stream only', () => {
    assert(
      property(
        ids,
        sequences,
        (taskId, sequence) => sequenceOf(taskKey('acme', taskId), eventId(taskKey('acme', taskId), sequence)) === sequence,
      ),
    );
    expect(sequenceOf('acme/other', eventId('acme/deploy', 7))).toBeUndefined();
  });

  test.each([
    '',
    '7',
    '0000000007',
    `${eventId('acme/deploy', 7)}0`,
    eventId('acme/deploy', 7).slice(0, -1),
    eventId('acme/deploy', 7).replace('.', '_'),
  ])('%j is no eventId of the stream', (text) => {
    expect(sequenceOf('acme/deploy', text)).toBeUndefined();
  });

  test('eventIds of a stream sort as text in the order of their sequences, are URL-safe and short', () => {
    assert(property(sequences, sequences, (a, b) => eventId('acme/deploy', a) < eventId('acme/deploy', b) === a < b));
    expect(eventId('acme/deploy', 12)).toMatch(/^[A-Za-z0-9_.-]{33}$/);
  });

  test('names of events of different streams never meet', () => {
    assert(
      property(
        ids,
        ids,
        sequences,
        sequences,
        (a, b, i, j) => eventName(taskKey('t', a), i) !== eventName(taskKey('t', b), j) || (a === b && i === j),
      ),
    );
  });

  test('derived ids depend on every part and are ids themselves', () => {
    expect(
      new Set([derive('a', 'b'), derive('a', 'c'), derive('b', 'a'), derive('ab'), derive('a', 'b', 1), derive('a', 'b', 2)]).size,
    ).toBe(6);
    expect(deriveTaskId('c-1')).toMatch(ID_PATTERN);
    expect(deriveRunId('acme/deploy', 'c-1', 2)).toMatch(ID_PATTERN);
    expect(deriveTaskId('c-1')).toBe(deriveTaskId('c-1'));
  });
});
