import type { TargetRequest } from '@retrigger/delivery/http-target.ts';
import { parseDuration } from '@retrigger/domain/duration.ts';
import { isForExecutors } from '@retrigger/domain/task/claim.ts';
import type { Target, TaskState } from '@retrigger/domain/task/state.ts';
import { pauseUntil } from '@retrigger/lifecycle/pause.ts';
import type { Clock } from '@retrigger/ports/clock.ts';
import type { Snapshot, SnapshotStore } from '@retrigger/ports/snapshot-store.ts';
import type { Triggered } from './decode-event.ts';

/** What to call for an event: the task's target, with what it is told. */
export type DueCall = { target: Target; type: string; request: TargetRequest };

const READS = 6;
const FIRST_PAUSE_MS = 20;

/**
 * The snapshots of these events' tasks, each at least as new as its event. The worker saves the snapshot before it tells the event, so
 * an older one means a reader that lags behind: it is read again, and in the end the records come again.
 * @throws Error when a snapshot stays older than its event.
 */
export async function loadSnapshots(
  events: Triggered[],
  snapshots: SnapshotStore,
  clock: Clock,
  signal: AbortSignal,
): Promise<Map<string, Snapshot>> {
  const newest = new Map<string, number>();
  for (const { key, sequence } of events) newest.set(key, Math.max(sequence, newest.get(key) ?? 0));
  const loaded = new Map<string, Snapshot>();
  for (let read = 0; newest.size > 0; read++) {
    if (read === READS) throw new Error(`the snapshots of ${newest.size} tasks are older than their events`);
    if (read > 0) await pauseUntil(clock.now() + FIRST_PAUSE_MS * 2 ** read, clock, signal);
    for (const [key, snapshot] of await snapshots.load([...newest.keys()])) {
      if (snapshot.head.sequence < (newest.get(key) ?? 0)) continue;
      loaded.set(key, snapshot);
      newest.delete(key);
    }
  }
  return loaded;
}

/** The call that an event asks for, or undefined: the task has no target, or this execution ended, was cancelled, or another took its place. */
export function dueCall(event: Triggered, snapshot: Snapshot | undefined): DueCall | undefined {
  const state = snapshot?.state as TaskState | undefined;
  const { target, execution, deadline, type } = state ?? {};
  if (type === undefined || !target || !execution || execution.executionId !== event.executionId || isForExecutors({ target }, execution))
    return undefined;
  const { executionId, runId, attempt, context, triggeredAt } = execution;
  const deadlineMs = deadline ? parseDuration(deadline) : undefined;
  const deadlineAt = deadlineMs === undefined ? {} : { deadlineAt: new Date(Date.parse(triggeredAt) + deadlineMs).toISOString() };
  return { target, type, request: { executionId, runId, taskId: event.taskId, attempt, context, ...deadlineAt } };
}
