import type { Command } from '../command.ts';
import { type Decision, dependentsKey, type Evidence } from '../decider.ts';
import { taskKey } from '../identifiers.ts';
import { event, isOwner, NOTHING } from './decision.ts';
import type { TaskState } from './state.ts';

/** A cascade over more tasks than this is refused as a whole: one that left some out would mix two runs. */
export const MOST_TASKS = 10_000;

/** Of a root that is not ready the first few tasks tell; it looks after each reset, so it must not read them all each time. */
const READ_AT_ONCE = 200;

/**
 * A cascade runs a task and everything downstream of it anew.
 * X1: its closure is frozen when it is accepted: every task that waits for the root, directly or through others, and once had a conditional schedule.
 * X2: the root starts only after every task of the closure was reset; X3: a reset task fires only after the root has started. A reset task remembers no outcome,
 * so nothing of an earlier run can satisfy anybody inside the closure. X4: whoever may not change a task may not re-arm it by a cascade either.
 * A task that was made recurring meanwhile has left the chain: it is neither re-armed nor waited for.
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
    return root?.cascade?.id !== cascade.id; // X3: the root's cascade ends with its start, or with whatever took its place
  }
  const unread: string[] = [];
  for (const key of cascade.tasks.map((id) => taskKey(tenantId, id))) {
    if (!evidence.has(key)) {
      if (unread.push(key) === READ_AT_ONCE) break;
      continue;
    }
    const other = evidence.get(key) as TaskState | undefined;
    if (other?.lastConditional && !other.cascades.includes(cascade.id)) return false; // X2
  }
  return unread.length === 0 || { kind: 'needs', keys: unread };
}

/** Arms a task again with its last conditional schedule; what runs is cancelled. The same cascade again finds its id. */
export function reset(state: TaskState, command: Command & { type: 'ResetTask' }): Decision {
  const { cascadeId, root } = command.body;
  const schedule = state.lastConditional;
  if (schedule?.strategy !== 'conditional' || state.cascades.includes(cascadeId)) return NOTHING;
  return event('TaskRescheduled', 'Scheduled', {
    strategy: 'conditional',
    schedule,
    previousSchedule: state.schedule,
    nextExecution: null,
    delayApplied: null,
    reason: `armed again by the cascade of ${root}`,
    cascade: { id: cascadeId, root, tasks: [] },
    ...(state.execution === null ? {} : { cancelledExecution: state.execution.executionId }),
  });
}
