import { isOlder } from '../bulk/state.ts';
import type { TaskEvent } from './events.ts';
import type { TaskState } from './state.ts';

/** A bulk waits for the task, has reserved it, or has its plan now. */
export function reserved(next: TaskState, { metadata, timestamp }: TaskEvent & { eventType: 'TaskReserved' }): TaskState {
  const { bulkId, startedAt, planned, named = [], waitsFor, asked, by } = metadata;
  const others = next.claims.filter((claim) => claim.bulkId !== bulkId);
  const reservedAt = next.reservation?.bulkId === bulkId ? next.reservation.reservedAt : timestamp;
  const held = { bulkId, startedAt, reservedAt, named };
  if (planned !== undefined) return { ...next, claims: others, reservation: { ...held, planned, claim: null } };
  if (asked === undefined || by === undefined) throw new Error(`${bulkId} has reserved ${next.taskId} and wants nothing of it`);
  const claim = { bulkId, startedAt, asked, by };
  if (waitsFor === undefined) return { ...next, claims: others, reservation: { ...held, planned: null, claim } };
  return { ...next, claims: [...others, claim].sort((a, b) => (isOlder(a, b) ? -1 : 1)) };
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
