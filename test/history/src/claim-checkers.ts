import type { TaskEvent } from '@retrigger/domain/task/events.ts';
import type { Acknowledged, Recorded, Violation } from './recorded.ts';
import { replay } from './replay.ts';

/** What is kept under a wish, and since when: by the same measure as the moments at which commands came into the log. */
export type KeptClaim = { executionId: unknown; at: number };

/**
 * Whatever is given by a wish is kept under it, and a claim that came into the log after that is given nothing else (B8). Of those that were under way at the
 * same time several may start an execution; `claimsAreAnswered` sees to it that only the one that is kept is handed out. `askedAt`: when an event's command came
 * into the log.
 */
export const wishesAreGivenOnce = (
  { streams }: Recorded,
  keptOf: (wish: string) => KeptClaim | undefined,
  askedAt: (event: TaskEvent) => number,
): Violation[] =>
  replay(streams).flatMap(({ key, event }) => {
    if (event.eventType !== 'TaskStarted' || event.metadata.claim === undefined) return [];
    const { claim, executionId } = event.metadata;
    const kept = keptOf(claim);
    if (kept === undefined) return [`${key}: the claim ${claim} was given ${executionId}, and nothing is kept of that`];
    return kept.executionId !== executionId && askedAt(event) > kept.at
      ? [`${key}: the claim ${claim} was given ${executionId} when ${kept.executionId} had long been kept`]
      : [];
  });

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
 * Every accepted claim was answered with what is kept under its wish, whichever of its tries asked, and that is an execution that was given by it: so a wish is
 * handed out one execution, however often somebody asks. `wishOf`: of a command, when it is a claim.
 */
export function claimsAreAnswered(
  { streams }: Recorded,
  acknowledged: Acknowledged[],
  wishOf: (commandId: string) => string | undefined,
  keptOf: (wish: string) => KeptClaim | undefined,
): Violation[] {
  const given = new Set<string>();
  for (const { event } of replay(streams))
    if (event.eventType === 'TaskStarted' && event.metadata.claim !== undefined)
      given.add(`${event.metadata.claim} ${event.metadata.executionId}`);
  return acknowledged.flatMap(({ key, commandId, kind, answer }) => {
    const wish = wishOf(commandId);
    if (wish === undefined || kind === 'refused') return [];
    const { executionId } = answer as { executionId?: string };
    const kept = keptOf(wish)?.executionId;
    if (kept !== executionId) return [`${key}: the claim ${wish} was answered with ${executionId}; kept is ${kept}`];
    return given.has(`${wish} ${executionId}`)
      ? []
      : [`${key}: the claim ${wish} was answered with ${executionId}, which it never started`];
  });
}
