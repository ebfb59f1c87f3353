import { isOlder } from '../bulk/state.ts';
import type { TaskEvent } from './events.ts';
import type { TaskState } from './state.ts';

/** A bulk waits for the task, has reserved it, or has its plan now. */
export function reserved(next: TaskState, { metadata, timestamp }: TaskEvent & { eventType: 'TaskReserved' }): TaskState {
  const { planned = null, named = [], waitsFor, ...claim } = metadata;
  const others = next.claims.filter(({ bulkId }) => bulkId !== claim.bulkId);
  if (waitsFor !== undefined) return { ...next, claims: [...others, claim].sort((a, b) => (isOlder(a, b) ? -1 : 1)) };
  const reservedAt = next.reservation?.bulkId === claim.bulkId ? next.reservation.reservedAt : timestamp;
  return { ...next, claims: others, reservation: { ...claim, reservedAt, named, planned } };
}

/** A bulk has no more of the task than before, or nothing any more. */
export function afterReservation(state: TaskState, bulkId: string | undefined): TaskState {
  if (bulkId === undefined) return state;
  const { reservation, claims } = state;
  return {
    ...state,
    reservation: reservation?.bulkId === bulkId ? null : reservation,
    claims: claims.some((claim) => claim.bulkId === bulkId) ? claims.filter((claim) => claim.bulkId !== bulkId) : claims,
  };
}
