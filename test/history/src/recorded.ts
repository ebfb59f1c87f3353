import type { Event } from '@retrigger/domain/event.ts';

/** What a client was told about a command of its own. */
export type Acknowledged = { key: string; commandId: string; kind: 'accepted' | 'refused'; answer: unknown };

/** A call that an executor received. */
export type Call = { key: string; executionId: string };

/** What was seen of a system while it was used and broken. Streams are what the store holds afterwards, in the order stored. */
export type Recorded = {
  streams: Map<string, Event[]>;
  /** The stored state of each task, without what only the store knows. */
  states: Map<string, unknown>;
  acknowledged: Acknowledged[];
  calls: Call[];
};

/** A broken promise, in words that name the place. */
export type Violation = string;
