import type { Command } from '@retrigger/domain/command.ts';
import type { Decider } from '@retrigger/domain/decider.ts';
import type { Event, Head, StoredEvent } from '@retrigger/domain/event.ts';
import { headAfter } from '@retrigger/domain/next-event.ts';
import type { Known } from './aggregate-cache.ts';

/** A decider whose state and event types only it knows. */
export type AnyDecider = Decider<unknown, Event>;

/**
 * An aggregate while a batch is decided: its state up to some place in its stream, and the stored events behind that place that are
 * not folded in yet. The tail is not empty when another owner, or an earlier try, has decided some of the batch's records already.
 */
export type Aggregate = {
  readonly key: string;
  head: Head;
  state: unknown;
  /** As it was loaded, without the tail; behind it a snapshot is due. */
  readonly loaded: Known;
  tail: StoredEvent[];
  /** Stored events before the snapshot that records of this batch led to, by their records' offsets: only redelivery needs them. */
  past: Map<number, StoredEvent>;
};

export const aggregateAt = (key: string, head: Head, state: unknown): Aggregate => ({
  key,
  head,
  state,
  loaded: { head, state },
  tail: [],
  past: new Map(),
});

/** Folds one event that follows the head. */
export function apply(aggregate: Aggregate, decider: AnyDecider, stored: StoredEvent): void {
  if (stored.event.sequence !== aggregate.head.sequence + 1) {
    throw new Error(`${aggregate.key}: event ${stored.event.sequence} does not follow ${aggregate.head.sequence}`);
  }
  aggregate.state = decider.evolve(aggregate.state, stored.event);
  aggregate.head = headAfter(stored);
}

/** A decoded record of the work log. */
export type Received = { command: Command; key: string; position: { partition: number; offset: number; at: number } };
