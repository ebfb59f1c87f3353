import type { EventStore } from '@retrigger/ports/event-store.ts';
import { onTestFinished } from 'vitest';
import type { CrashTarget } from './crash-target.ts';

export type EventStoreAdapter = {
  open(): Promise<{ events: EventStore; close(): Promise<void> }>;
  timeoutMs: number;
  /** How a process of its own opens the store, to be killed; absent when nothing outlives the process. */
  crash?: CrashTarget;
};

/** Opens the store for one test. */
export async function openEvents(adapter: EventStoreAdapter): Promise<EventStore> {
  const { events, close } = await adapter.open();
  onTestFinished(close);
  return events;
}
