import type { Lookup } from '../decider.ts';
import { type BulkState, DECIDES_WITHIN_MS } from './state.ts';

/** A bulk has no status that a task can have, so no list of tasks shows one. */
export function lookup({ status, allOrNothing, startedAt }: BulkState): Lookup {
  const wakeAt = status === 'Asking' && allOrNothing ? startedAt + DECIDES_WITHIN_MS : null;
  return { status, type: 'bulk', wakeAt, wakeKind: 'due', dueAt: wakeAt, waitsFor: [], claimableSince: null };
}
