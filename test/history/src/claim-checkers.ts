import type { Acknowledged, Recorded, Violation } from './recorded.ts';
import { replay } from './replay.ts';

/** What somebody asked for one execution by gets one, on whatever task (B8). */
export const wishesAreGivenOnce = ({ streams }: Recorded): Violation[] => {
  const given = new Map<string, string>();
  return replay(streams).flatMap(({ key, event }) => {
    if (event.eventType !== 'TaskStarted' || event.metadata.claim === undefined) return [];
    const { claim } = event.metadata;
    const before = given.get(claim);
    given.set(claim, key);
    return before === undefined ? [] : [`${key}: the claim ${claim} was given an execution of ${before} before`];
  });
};

/** An execution that somebody has is reported by nobody else (T10). */
export const onlyTheirExecutorReports = ({ streams }: Recorded): Violation[] =>
  replay(streams).flatMap(({ key, event: { eventType, actor, sequence }, before }) => {
    const executor = before?.execution?.executor;
    const isReport = (eventType === 'TaskCompleted' || eventType === 'TaskFailed') && actor.type === 'executor';
    return isReport && executor !== undefined && executor !== actor.id
      ? [`${key}: ${sequence} is a report of ${actor.id}; the execution is ${executor}'s`]
      : [];
  });

/**
 * Every accepted claim was answered with what was given under its wish, whichever of its tries asked. `wishOf`: of a command, when it is a claim.
 */
export function claimsAreAnswered(
  { streams }: Recorded,
  acknowledged: Acknowledged[],
  wishOf: (commandId: string) => string | undefined,
): Violation[] {
  const given = new Map<string, string>();
  for (const { event } of replay(streams))
    if (event.eventType === 'TaskStarted' && event.metadata.claim !== undefined)
      given.set(event.metadata.claim, event.metadata.executionId);
  return acknowledged.flatMap(({ key, commandId, kind, answer }) => {
    const wish = wishOf(commandId);
    const { executionId } = answer as { executionId?: string };
    if (wish === undefined || kind === 'refused' || given.get(wish) === executionId) return [];
    return [`${key}: the claim ${wish} was answered with ${executionId}, and given ${given.get(wish)}`];
  });
}
