import type { StoredEvent } from '@retrigger/domain/event.ts';
import type { Decided } from '@retrigger/ports/decision-store.ts';
import type { NewRecord } from '@retrigger/ports/log.ts';
import { textRecord } from './recording-handler.ts';
import { inRounds, sampleReceipt, sampleSnapshot, sampleStream } from './samples.ts';

/** Writes that a crash scenario makes at most. */
export const WRITES = 5;

export const CRASH_TASKS = ['task-a', 'task-b', 'task-c'];

/** Sequences of each task in one write. */
export const PER_WRITE = 4;

/** What write `number` (from 1) stores: the next events of each task, in rounds. The same in every process. */
export const crashEvents = (tenantId: string, number: number): StoredEvent[] =>
  inRounds(CRASH_TASKS.map((taskId) => sampleStream(tenantId, taskId, number * PER_WRITE).slice((number - 1) * PER_WRITE)));

/** The same with a receipt for each event and a snapshot of each task. */
export function crashDecided(tenantId: string, number: number): Decided {
  const events = crashEvents(tenantId, number);
  return {
    events,
    receipts: events.map((stored) => sampleReceipt(stored)),
    snapshots: events.filter(({ event }) => event.sequence === number * PER_WRITE).map((stored) => sampleSnapshot(stored)),
  };
}

export const crashRecords = (number: number): NewRecord[] =>
  Array.from({ length: PER_WRITE }, (_, i) => textRecord(`tenant/${CRASH_TASKS[i % CRASH_TASKS.length]}`, `${number}.${i}`));
