import type { Event } from '@retrigger/domain/event.ts';
import { taskKey } from '@retrigger/domain/identifiers.ts';
import type { Recorded, Violation } from './recorded.ts';

/** That a program began an execution which it was given as its own. */
export type Run = { key: string; executionId: string; by: string };

/** A bulk that was answered. `reason` is its own, so that what it triggered can be told. */
export type Bulk = { tenantId: string; taskIds: string[]; reason: string; allOrNothing: boolean; accepted: string[] };

const triggersOf = ({ streams }: Recorded, key: string, reason: string): Event[] =>
  (streams.get(key) ?? []).filter(({ eventType, metadata }) => eventType === 'TaskTriggered' && metadata.triggerReason === reason);

/** An execution that is claimed, or started by whoever found it on the topic, is begun by one program, once, and it was triggered. */
export const givenOnce = ({ streams }: Recorded, runs: Run[]): Violation[] => {
  const triggered = new Set(
    [...streams].flatMap(([key, events]) =>
      events.flatMap(({ eventType, metadata }) => (eventType === 'TaskTriggered' ? [`${key} ${metadata.executionId}`] : [])),
    ),
  );
  const first = new Map<string, string>();
  return runs.flatMap(({ key, executionId, by }) => {
    const before = first.get(executionId);
    first.set(executionId, by);
    return [
      ...(before === undefined ? [] : [`${key}: ${executionId} was given to ${before} and to ${by}`]),
      ...(triggered.has(`${key} ${executionId}`) ? [] : [`${key}: ${by} was given ${executionId}, which no event triggered`]),
    ];
  });
};

/** Of an answered bulk every task that was accepted was triggered by it, once, and no other; of all or nothing that is each of them or none. */
export const bulksKeptTheirWord = (recorded: Recorded, bulks: Bulk[]): Violation[] =>
  bulks.flatMap(({ tenantId, taskIds, reason, allOrNothing, accepted }) => {
    const triggered = taskIds.map((taskId) => [taskId, triggersOf(recorded, taskKey(tenantId, taskId), reason).length] as const);
    const wrong = triggered.flatMap(([taskId, times]) =>
      times === (accepted.includes(taskId) ? 1 : 0)
        ? []
        : [`${tenantId}/${taskId}: ${reason} ${accepted.includes(taskId) ? 'accepted' : 'refused'} it and triggered it ${times} times`],
    );
    const some = accepted.length > 0 && accepted.length < taskIds.length;
    return allOrNothing && some ? [...wrong, `${tenantId}: ${reason} was to be all or nothing and accepted ${accepted.length}`] : wrong;
  });

/**
 * Whoever remembers the last sequence of each task and drops what is not newer has seen each event once and in order. `told`: in the order in which they came;
 * of one task that is the order of one partition, or of one subscription.
 */
export const newestSeesAll = (
  { streams }: Recorded,
  told: Pick<Event, 'tenantId' | 'taskId' | 'sequence'>[],
  where: string,
): Violation[] => {
  const seen = new Map<string, number>();
  const skipped = told.flatMap(({ tenantId, taskId, sequence }) => {
    const key = taskKey(tenantId, taskId);
    const last = seen.get(key) ?? 0;
    if (!streams.has(key) || sequence <= last) return [];
    seen.set(key, sequence);
    return sequence === last + 1 ? [] : [`${key}: ${where} came to ${sequence} after ${last}`];
  });
  const unheard = [...streams].flatMap(([key, events]) =>
    (seen.get(key) ?? 0) === events.length ? [] : [`${key}: ${where} ends at ${seen.get(key) ?? 0} of ${events.length}`],
  );
  return [...skipped, ...unheard];
};

/** What a tenant's subscriber heard is its own tenant's, and what is stored. Of a task that is not looked at nothing is known. */
export const heardWhatIsStored = (
  { streams }: Recorded,
  tenant: string,
  heard: Pick<Event, 'tenantId' | 'taskId' | 'sequence' | 'eventId'>[],
): Violation[] =>
  heard.flatMap(({ tenantId, taskId, sequence, eventId }) => {
    const key = taskKey(tenantId, taskId);
    const isOther = streams.has(key) && streams.get(key)?.[sequence - 1]?.eventId !== eventId;
    return [
      ...(tenantId === tenant ? [] : [`${tenant}'s subscriber heard of ${key}`]),
      ...(isOther ? [`${key}: what was heard as ${sequence} is not what is stored`] : []),
    ];
  });

/** Nothing of one tenant is in another's history, calls or news. Every tenant's tasks say in their context whose they are, and have the same names. */
export const tenantsAreApart = ({ streams }: Recorded): Violation[] =>
  [...streams].flatMap(([key, events]) =>
    events.flatMap(({ tenantId, sequence, metadata }) => {
      const { tenant = tenantId } = (metadata.context ?? {}) as { tenant?: string };
      return key.startsWith(`${tenantId}/`) && tenant === tenantId
        ? []
        : [`${key}: ${sequence} is ${tenantId}'s and about a task of ${tenant}`];
    }),
  );
