import { isOlder } from '../bulk/state.ts';
import type { Command } from '../command.ts';
import type { Decision, Evidence } from '../decider.ts';
import type { Head } from '../event.ts';
import { bulkName, derive, taskKey } from '../identifiers.ts';
import { isSealed, NOT_SEALED } from './decide-erasure.ts';
import { arm, reschedule } from './decide-schedule.ts';
import { trigger } from './decide-trigger.ts';
import { event, isOwner, NOTHING, notOwner, refuse } from './decision.ts';
import type { TaskMetadata } from './events.ts';
import { lookup } from './lookup.ts';
import type { Claim, Planned, TaskState } from './state.ts';

/**
 * A task's part in an all-or-nothing bulk.
 * R1: it is reserved by the same decision that a single call would meet; what that would have written is the plan, which a commit writes and nobody checks
 * again. R2: until the end of the reservation nothing of its own begins and nobody else's call is taken, so the plan stays possible; a report or a cascade's
 * reset can come in between, and the plan is possible behind either.
 * R3: of two bulks that want it the older waits and the younger is refused, by an order that is the same for every task: nobody waits in a circle, and the
 * oldest always gets on. R4: a bulk's command that comes again, or too late, finds that it has nothing of the task and does nothing.
 * R5: its own time is the reservation's: when that has come it asks the bulk, and again until it is told. Then what waited is looked at.
 */
export function reserve(
  state: TaskState,
  command: Command & { type: 'ReserveTask' },
  head: Head,
  at: number,
  evidence: Evidence,
): Decision {
  const { bulkId, startedAt, asked } = command.body;
  if (isHeldBy(state, bulkId) || state.claims.some((claim) => claim.bulkId === bulkId)) return NOTHING; // R4
  const { actor, roles } = command;
  return claimed(state, command, { bulkId, startedAt, asked, by: { actor, roles } }, head, at, evidence);
}

const isHeldBy = ({ reservation }: TaskState, bulkId: string): boolean => reservation?.bulkId === bulkId;

/** The task is free again: a bulk that waited may have it, unless it was told meanwhile to let go (R4). */
export function retry(
  state: TaskState,
  command: Command & { type: 'RetryReservation' },
  head: Head,
  at: number,
  evidence: Evidence,
): Decision {
  const claim = state.claims.find(({ bulkId }) => bulkId === command.body.bulkId);
  return claim === undefined ? NOTHING : claimed(state, command, claim, head, at, evidence);
}

const singleCall = (command: Command, { asked, by }: Claim): Command => ({ ...command, ...by, ...asked });

function claimed(state: TaskState, command: Command, claim: Claim, head: Head, at: number, evidence: Evidence): Decision {
  const { bulkId } = claim;
  const call = singleCall(command, claim);
  const held = state.reservation;
  if (!isOwner(state, call)) return ofBulk(notOwner(state, call), bulkId);
  if (state.sensitive && !isSealed(call)) return ofBulk(refuse(state, call, 'invalid_request', NOT_SEALED), bulkId);
  const first = held ?? state.claims.find((other) => other.bulkId !== bulkId);
  if (first !== undefined && isOlder(first, claim)) return ofBulk(taken(state, call, first.bulkId), bulkId); // R3
  if (held !== null) {
    const isWaiting = state.claims.some((other) => other.bulkId === bulkId);
    return isWaiting ? NOTHING : event('TaskReserved', state.status, { ...claim, waitsFor: held.bulkId });
  }
  if (state.proposal !== null)
    return ofBulk(
      refuse(state, call, 'invalid_state', 'A change of what it waits for is being checked; try again when that is decided'),
      bulkId,
    );
  const decision =
    call.type === 'TriggerTask'
      ? trigger(state, call, head, at, evidence)
      : reschedule(state, call as Command & { type: 'RescheduleTask' }, head.sequence + 1, at, evidence);
  return planned(state, claim, decision, []);
}

/** R1. Edges that nobody knew before are stored first, and checked when everybody can see them (T7). */
function planned(state: TaskState, claim: Claim, decision: Decision, named: string[]): Decision {
  if (decision.kind !== 'event') return decision;
  const { eventType, metadata } = decision.event;
  if (eventType === 'DependenciesProposed')
    return event('TaskReserved', state.status, { ...claim, named: (metadata as TaskMetadata['DependenciesProposed']).named ?? [] });
  if (eventType !== 'TaskTriggered' && eventType !== 'TaskRescheduled') return ofBulk(decision, claim.bulkId);
  const plan = { eventType, metadata } as unknown as Planned;
  const { bulkId, startedAt } = claim;
  return event('TaskReserved', state.status, { bulkId, startedAt, ...(named.length === 0 ? {} : { named }), planned: plan });
}

/** The second step of T7. Whoever may have the task next, when it is refused, is told with the refusal. */
export function confirmReservation(
  state: TaskState,
  command: Command & { type: 'ConfirmReservation' },
  head: Head,
  at: number,
  evidence: Evidence,
): Decision {
  const held = state.reservation;
  if (held === null || held.bulkId !== command.body.bulkId || held.claim === null) return NOTHING; // R4
  const { claim, named } = held;
  const call = singleCall(command, claim) as Command & { type: 'RescheduleTask' };
  const decision = arm(state, call, head.sequence + 1, at, evidence);
  return withNext(state, planned(state, claim, decision, named), claim.bulkId);
}

/** R1, R2: writes the plan, on the task as it is now. */
export function commit(state: TaskState, command: Command & { type: 'CommitTask' }): Decision {
  const plan = isHeldBy(state, command.body.bulkId) ? state.reservation?.planned : null;
  if (plan == null) return NOTHING; // R4
  const end = { bulkId: command.body.bulkId, ...next(state) };
  if (plan.eventType === 'TaskTriggered') return event('TaskTriggered', 'Running', { ...plan.metadata, ...end });
  const cancelled = state.execution === null ? {} : { cancelledExecution: state.execution.executionId };
  return event('TaskRescheduled', 'Scheduled', { ...plan.metadata, previousSchedule: state.schedule, ...cancelled, ...end });
}

export function release(state: TaskState, command: Command & { type: 'ReleaseTask' }): Decision {
  const { bulkId } = command.body;
  if (isHeldBy(state, bulkId)) return event('TaskReleased', state.status, { bulkId, ...next(state) });
  const isWaiting = state.claims.some((claim) => claim.bulkId === bulkId);
  return isWaiting ? event('TaskReleased', state.status, { bulkId }) : NOTHING; // R4
}

const next = ({ claims }: TaskState): { next?: string[] } => (claims.length === 0 ? {} : { next: claims.map(({ bulkId }) => bulkId) });

/** A refusal that says whose it is: that bulk has nothing of the task any more. */
const ofBulk = (decision: Decision, bulkId: string): Decision => more(decision, { bulkId });

/** A refusal that ends a reservation. */
const withNext = (state: TaskState, decision: Decision, bulkId: string): Decision =>
  decision.kind === 'event' && decision.event.eventType === 'CommandRefused' ? more(decision, { bulkId, ...next(state) }) : decision;

const more = (decision: Decision, metadata: { bulkId: string; next?: string[] }): Decision =>
  decision.kind === 'event'
    ? { ...decision, event: { ...decision.event, metadata: { ...decision.event.metadata, ...metadata } } }
    : decision;

const taken = (state: TaskState, command: Command, bulkId: string): Decision =>
  refuse(state, command, 'task_reserved', `Task ${state.taskId} is reserved by bulk ${bulkId}; try again when that has ended`);

/** R2, R5: what becomes of a command that a reserved task does not take; undefined = it is decided as ever. */
export function whileReserved(state: TaskState, command: Command, at: number): Decision | undefined {
  const { reservation } = state;
  if (reservation == null) return undefined;
  switch (command.type) {
    case 'ChangeTask':
    case 'TriggerTask':
    case 'RescheduleTask':
    case 'CancelTask':
      return isOwner(state, command) ? taken(state, command, reservation.bulkId) : notOwner(state, command);
    case 'Check':
      return NOTHING;
    case 'Wake': {
      const { wakeAt } = command.body;
      return wakeAt !== lookup(state).wakeAt || at < wakeAt
        ? NOTHING
        : { kind: 'tells', commands: [ask(state, reservation.bulkId, command)] };
    }
    default:
      return undefined;
  }
}

const ask = ({ tenantId, taskId }: TaskState, bulkId: string, { commandId, correlationId }: Command): Command => ({
  commandId: derive('AskBulk', taskKey(tenantId, taskId), commandId),
  ...{ tenantId, taskId: bulkName(bulkId), actor: { id: 'scheduler', type: 'system' }, roles: [], correlationId },
  ...{ type: 'AskBulk', body: { taskId } },
});
