import type { Actor } from './command.ts';
import type { JsonObject } from './json.ts';

/** Where an event's command stands in the work log. `at` is the log's append time in epoch milliseconds. */
export type Position = { partition: number; offset: number; at: number };

/** An event as everybody sees it; the fields are API.md's "An event". `S` is the aggregate's status, `M` the metadata by type. */
export type Event<T extends string = string, S extends string = string, M = JsonObject> = {
  eventId: string;
  eventType: T;
  schemaVersion: number;
  tenantId: string;
  taskId: string;
  /** 1 for the first event of a task, without gaps. */
  sequence: number;
  /** ISO 8601 UTC with milliseconds, by the log's clock, never going back inside a task. */
  timestamp: string;
  actor: Actor;
  commandId: string;
  correlationId: string;
  /** Null before the task exists. */
  previousState: S | null;
  newState: S | null;
  metadata: M;
  traceparent?: string;
  previousHash: string;
  hash: string;
};

/** An event with what only the store keeps: its JSON text as hashed and stored, and its command's position. */
export type StoredEvent<E = Event> = { key: string; event: E; json: string; position: Position };

/** The end of an aggregate's stream: what the next event must follow. */
export type Head = { sequence: number; hash: string; at: number; position: Position | null };

export const NO_HASH = '0'.repeat(64);
export const EMPTY_HEAD: Head = { sequence: 0, hash: NO_HASH, at: 0, position: null };

/**
 * A record at this position has been decided by whoever stored an event at `decided`: offset and log time are both at or before it.
 * (Both, because offsets start again when a topic is made anew.)
 */
export const isPassed = (position: Position, decided: Position | null): boolean =>
  decided !== null && position.offset <= decided.offset && position.at <= decided.at;
