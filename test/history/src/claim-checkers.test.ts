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

/** As if each wish's first execution were kept. */
const keptOf = (story: Story) => (wish: string) => ({ executionId: story.execution(wish === 'first' ? 'one' : 'two'), at: 0 });

describe('the checkers of claims', () => {
  test('find a claim that is given a second execution after the first was kept', () => {
    const two = claimed('first');
    const kept = () => ({ executionId: two.execution('one'), at: 5 });
    expect(wishesAreGivenOnce(claimed('second').recorded, keptOf(claimed('second')), () => 9)).toEqual([]);
    expect(wishesAreGivenOnce(two.recorded, kept, () => 9)).toHaveLength(1);
    expect(wishesAreGivenOnce(two.recorded, kept, () => 4)).toEqual([]); // both were under way
  });

  test('find a claim of which nothing is kept', () => {
    expect(
      wishesAreGivenOnce(
        claimed('second').recorded,
        () => undefined,
        () => 0,
      ),
    ).toHaveLength(2);
  });

  test('find a claim that was answered with another execution than is kept, or one that it never started', () => {
    const story = claimed('second');
    const { recorded } = story;
    const [claim] = recorded.acknowledged.filter(
      ({ key, answer }) => key === 'acme/one' && 'attempt' in (answer as object) && 'context' in (answer as object),
    );
    if (claim === undefined) throw new Error('the story has no claim');
    const wishOf = (commandId: string) => (commandId === claim.commandId ? 'first' : undefined);
    const found = (told: object, kept: Parameters<typeof claimsAreAnswered>[3] = keptOf(story)) =>
      claimsAreAnswered(recorded, [{ ...claim, ...told }], wishOf, kept);
    expect(found({})).toEqual([]);
    expect(found({ kind: 'refused', answer: { code: 'stale_execution' } })).toEqual([]);
    expect(found({ answer: { executionId: 'another' } })).toHaveLength(1);
    expect(found({}, () => undefined)).toHaveLength(1);
    expect(found({ answer: { executionId: 'another' } }, () => ({ executionId: 'another', at: 0 }))).toHaveLength(1);
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
