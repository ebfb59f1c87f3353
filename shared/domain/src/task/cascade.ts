import type { Command } from '../command.ts';
import { type Decision, dependentsKey, type Evidence } from '../decider.ts';
import { taskKey } from '../identifiers.ts';
import { REFUSAL_TITLES } from '../refusal.ts';
import { event, isOwner, NOTHING } from './decision.ts';
import type { TaskState } from './state.ts';

/** A cascade over more tasks than this is refused as a whole: one that left some out would mix two runs. */
export const MOST_TASKS = 10_000;

/** Of a root that is not ready the first few tasks tell; it looks after each reset, so it must not read them all each time. */
const READ_AT_ONCE = 200;

/**
 * A cascade runs a task and everything downstream of it anew.
 * X1: its closure is frozen when it is accepted: every task that waits for the root, directly or through others, and once had a conditional schedule.
 * X2: the root starts, by itself or by hand, only after every task of the closure was reset, whatever becomes of its schedule meanwhile. X3: a reset task fires
 * only when its root has started and waits for no other cascade. A reset task remembers no outcome, so nothing of an earlier run can satisfy anybody inside the
 * closure. X4: whoever may not change a task may not re-arm it by a cascade either.
 * X5: a task that was made recurring meanwhile has left the chain: it says so, stays as it is, and is not waited for, also when it waits for others again later.
 */
export function downstream(
  root: TaskState,
  command: Command,
  evidence: Evidence,
): { kind: 'closed'; tasks: string[]; foreign: string[] } | (Decision & { kind: 'needs' }) {
  const { tenantId } = root;
  const seen = new Set([root.taskId]);
  const rearmed: string[] = [];
  const foreign: string[] = [];
  let level = [root.taskId];
  while (level.length > 0) {
    const unknown = level.map((id) => taskKey(tenantId, id)).filter((key) => !evidence.has(dependentsKey(key)));
    if (unknown.length > 0) return { kind: 'needs', keys: [], dependentsOf: unknown };
    const next = new Set(
      level.flatMap((id) => evidence.get(dependentsKey(taskKey(tenantId, id))) as string[]).filter((id) => !seen.has(id)),
    );
    const unread = [...next].map((id) => taskKey(tenantId, id)).filter((key) => !evidence.has(key));
    if (unread.length > 0) return { kind: 'needs', keys: unread };
    for (const id of next) {
      seen.add(id);
      const state = evidence.get(taskKey(tenantId, id)) as TaskState | undefined;
      if (!state?.lastConditional) continue;
      rearmed.push(id);
      if (!isOwner(state, command)) foreign.push(id);
    }
    level = [...next];
  }
  return { kind: 'closed', tasks: rearmed.sort(), foreign: foreign.sort() };
}

/** Whether everything that a task's cascade needs before it starts has happened; X2 for its root, X3 for the others. */
export function mayStart(state: TaskState, evidence: Evidence): boolean | (Decision & { kind: 'needs' }) {
  const { cascade, tenantId, taskId } = state;
  if (cascade === null) return true;
  if (cascade.root !== taskId) {
    const key = taskKey(tenantId, cascade.root);
    if (!evidence.has(key)) return { kind: 'needs', keys: [key] };
    const root = evidence.get(key) as TaskState | undefined;
    return root === undefined || root.cascade === null; // X3
  }
  const unread: string[] = [];
  for (const key of cascade.tasks.map((id) => taskKey(tenantId, id))) {
    if (!evidence.has(key)) {
      if (unread.push(key) === READ_AT_ONCE) break;
      continue;
    }
    const other = evidence.get(key) as TaskState | undefined;
    if (other !== undefined && !hasSeen(other, cascade)) return false; // X2
  }
  return unread.length === 0 || { kind: 'needs', keys: unread };
}

/** A later cascade of the same root has reset it too. */
const hasSeen = ({ cascades }: TaskState, { root, sequence }: { root: string; sequence: number }): boolean =>
  cascades.some((seen) => seen.root === root && seen.sequence >= sequence);

/** Arms a task again with its last conditional schedule; what runs is cancelled. The same cascade again, or an earlier one, finds that it was. */
export function reset(state: TaskState, command: Command & { type: 'ResetTask' }): Decision {
  const { cascadeId, root, sequence } = command.body;
  const schedule = state.lastConditional;
  if (hasSeen(state, command.body)) return NOTHING;
  if (schedule?.strategy !== 'conditional') {
    const detail = `It is recurring and no more waits for others: the cascade of ${root} goes on without it`;
    const title = REFUSAL_TITLES.invalid_state;
    return event('CommandRefused', state.status, {
      command: command.type,
      code: 'invalid_state',
      title,
      detail,
      cascade: { root, sequence },
    });
  }
  return event('TaskRescheduled', 'Scheduled', {
    strategy: 'conditional',
    schedule,
    previousSchedule: state.schedule,
    nextExecution: null,
    delayApplied: null,
    reason: `armed again by the cascade of ${root}`,
    cascade: { id: cascadeId, root, tasks: [], sequence },
    ...(state.execution === null ? {} : { cancelledExecution: state.execution.executionId }),
  });
}
