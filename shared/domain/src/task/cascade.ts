import type { Command } from '../command.ts';
import { type Decision, dependentsKey, type Evidence } from '../decider.ts';
import { taskKey } from '../identifiers.ts';
import { event, NOTHING } from './decision.ts';
import type { TaskState } from './state.ts';

const MOST_TASKS = 10_000;

/**
 * A cascade runs a task and everything downstream of it anew.
 * X1: its closure is frozen when it is accepted: every task that waits for the root, directly or through others, and once had a conditional schedule.
 * X2: the root starts only after every task of the closure was reset; X3: a reset task fires only after the root has started. A reset task remembers no outcome,
 * so nothing of an earlier run can satisfy anybody inside the closure.
 */
export function downstream(root: TaskState, evidence: Evidence): { kind: 'closed'; tasks: string[] } | (Decision & { kind: 'needs' }) {
  const { tenantId } = root;
  const seen = new Set([root.taskId]);
  const rearmed: string[] = [];
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
      if (state?.lastConditional && rearmed.length < MOST_TASKS) rearmed.push(id);
    }
    level = [...next];
  }
  return { kind: 'closed', tasks: rearmed.sort() };
}

/** Whether everything that a task's cascade needs before it starts has happened; X2 for its root, X3 for the others. */
export function mayStart(state: TaskState, evidence: Evidence): boolean | (Decision & { kind: 'needs' }) {
  const { cascade, tenantId, taskId } = state;
  if (cascade === null) return true;
  const others = (cascade.root === taskId ? cascade.tasks : [cascade.root]).map((id) => taskKey(tenantId, id));
  const unread = others.filter((key) => !evidence.has(key));
  if (unread.length > 0) return { kind: 'needs', keys: unread };
  const states = others.map((key) => evidence.get(key) as TaskState | undefined);
  if (cascade.root === taskId) return states.every((other) => other?.cascades.includes(cascade.id)); // X2
  const [root] = states;
  return root?.cascade?.id !== cascade.id; // X3: the root's cascade ends with its start, or with whatever took its place
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
