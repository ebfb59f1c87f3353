import { isDeepStrictEqual } from 'node:util';
import { differingFields, type Fingerprint } from '@retrigger/domain/idempotency.ts';
import { isKept, type Refusal } from '@retrigger/domain/refusal.ts';
import { taskDecider } from '@retrigger/domain/task/decider.ts';
import type { TaskState } from '@retrigger/domain/task/state.ts';
import type { Acknowledged, Recorded, Violation } from './recorded.ts';

/** Every event reached the events topic, and nothing else did. `told` are the values of its records. */
export const everyEventWasTold = ({ streams }: Recorded, told: string[]): Violation[] => {
  const stored = new Map([...streams.values()].flat().map((event) => [event.eventId, event]));
  const unheard = new Set(stored.keys());
  const phantoms = told.flatMap((text) => {
    const event = JSON.parse(text);
    unheard.delete(event.eventId);
    return isDeepStrictEqual(stored.get(event.eventId), event)
      ? []
      : [`${event.taskId}: ${event.eventType} ${event.sequence} was told but is not what is stored`];
  });
  const lost = [...unheard].map(
    (id) => `${stored.get(id)?.taskId}: ${stored.get(id)?.eventType} ${stored.get(id)?.sequence} was never told`,
  );
  return [...phantoms, ...lost];
};

/**
 * A command has one outcome, however often it is asked for, and another request under its id is told so. `first` is the request that came first.
 */
export function oneOutcome(
  acknowledged: (Acknowledged & { fingerprint: Fingerprint })[],
  first: (commandId: string) => Fingerprint | undefined,
): Violation[] {
  const outcomes = new Map<string, Acknowledged>();
  return acknowledged.flatMap((told) => {
    const { key, commandId, fingerprint, answer } = told;
    const original = first(commandId);
    if (original === undefined) return [`${key}: ${commandId} was answered, but never asked`];
    if (told.kind === 'refused' && !isKept({ kind: 'refused', refusal: answer as Refusal }) && !isReused(answer)) return []; // it binds nobody
    const isReuse = told.kind === 'refused' && isReused(answer);
    const isOther = differingFields(original, fingerprint).length > 0;
    if (isOther !== isReuse)
      return [`${key}: ${commandId} was asked ${isOther ? 'with another body' : 'again'} and told ${JSON.stringify(answer)}`];
    if (isOther) return [];
    const before = outcomes.get(commandId);
    outcomes.set(commandId, told);
    if (before === undefined || (before.kind === told.kind && isDeepStrictEqual(before.answer, answer))) return [];
    return [`${key}: ${commandId} was told ${JSON.stringify(before.answer)} and then ${JSON.stringify(answer)}`];
  });
}

const isReused = (answer: unknown): boolean => (answer as { code?: string }).code === 'idempotency_key_reused';

/** What others look for in a snapshot is what its state says. */
export const lookupsAreOfStates = ({ states }: Recorded, rows: Map<string, { [column: string]: unknown }>): Violation[] =>
  [...states].flatMap(([key, state]) => {
    const row = rows.get(key);
    if (row === undefined) return [`${key} has no snapshot`];
    const { dueAt: _, ...lookup } = taskDecider.lookup(state as TaskState);
    return Object.entries(lookup).flatMap(([column, value]) =>
      isDeepStrictEqual(row[column], value)
        ? []
        : [`${key}: ${column} of its snapshot is ${JSON.stringify(row[column])}, not ${JSON.stringify(value)}`],
    );
  });

/** Time never goes back inside a stream. */
export const timeGoesOn = ({ streams }: Recorded): Violation[] =>
  [...streams].flatMap(([key, events]) =>
    events.flatMap(({ timestamp, sequence }, index) =>
      timestamp < (events[index - 1]?.timestamp ?? '') ? [`${key}: ${sequence} is older than the event before`] : [],
    ),
  );
