import { describe, expect, test } from 'vitest';
import { claimsAreAnswered, onlyTheirExecutorReports, wishesAreGivenOnce } from './claim-checkers.ts';
import { Story } from './story.ts';

const claimed = (claim: string) => {
  const story = new Story();
  for (const taskId of ['one', 'two'])
    story
      .send(taskId, 0, { type: 'CreateTask', body: { type: 'job' } })
      .send(taskId, 1_000, { type: 'TriggerTask', body: {} })
      .send(taskId, 2_000, { type: 'ClaimExecution', body: { claim: taskId === 'one' ? 'first' : claim } });
  return story;
};

describe('the checkers of claims', () => {
  test('find a claim that was given two executions', () => {
    expect(wishesAreGivenOnce(claimed('second').recorded)).toEqual([]);
    expect(wishesAreGivenOnce(claimed('first').recorded)).toHaveLength(1);
  });

  test('find a claim that was answered with another execution than it was given', () => {
    const { recorded } = claimed('second');
    const [claim] = recorded.acknowledged.filter(
      ({ key, answer }) => key === 'acme/one' && 'attempt' in (answer as object) && 'context' in (answer as object),
    );
    if (claim === undefined) throw new Error('the story has no claim');
    const wishOf = (commandId: string) => (commandId === claim.commandId ? 'first' : undefined);
    expect(claimsAreAnswered(recorded, [claim], wishOf)).toEqual([]);
    expect(claimsAreAnswered(recorded, [{ ...claim, kind: 'refused', answer: { code: 'stale_execution' } }], wishOf)).toEqual([]);
    expect(claimsAreAnswered(recorded, [{ ...claim, answer: { executionId: 'another' } }], wishOf)).toHaveLength(1);
  });

  test('find a report by somebody who does not have the execution', () => {
    const story = claimed('second');
    story.send('one', 3_000, { type: 'CompleteExecution', body: { executionId: story.execution('one') } });
    const end = story.events('one').at(-1);
    expect(onlyTheirExecutorReports(story.recorded)).toEqual([]);
    if (end !== undefined) end.actor = { id: 'ann', type: 'executor' };
    expect(onlyTheirExecutorReports(story.recorded)).toEqual([]);
    if (end !== undefined) end.actor = { id: 'rival', type: 'executor' };
    expect(onlyTheirExecutorReports(story.recorded)).toHaveLength(1);
  });
});
