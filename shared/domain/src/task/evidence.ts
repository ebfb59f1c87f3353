import { type Conditions, judge, namedTasks, needsClosure, type TaskEvidence, type Verdict } from '../conditions.ts';
import type { Decision, Evidence } from '../decider.ts';
import { walkFrom } from '../dependencies.ts';
import { taskKey } from '../identifiers.ts';
import type { TaskState } from './state.ts';

/** The tasks that a task waits for by its conditional schedule: edges, as long as it waits. */
const scheduled = ({ schedule }: TaskState): string[] => (schedule?.strategy === 'conditional' ? namedTasks(schedule.conditions) : []);

/** Everything that a task's end may hang on: dependencies, confirmed and proposed, and the tasks that its schedule names. */
const edges = (state: TaskState): string[] => [...state.dependencies, ...(state.proposal?.dependencies ?? []), ...scheduled(state)];

type Gathered = { kind: 'needs'; keys: string[] } | { kind: 'cycle'; path: string[] } | { kind: 'acyclic' };

/**
 * Walks from a task over `own` edges and everybody else's.
 * V1: proposed edges count like confirmed ones, so that of two changes that would close a cycle together at least one sees the other.
 */
export function walk(tenantId: string, taskId: string, own: readonly string[], evidence: Evidence): Gathered {
  const step = walkFrom(taskId).advance((next) => {
    if (next === taskId) return own;
    const key = taskKey(tenantId, next);
    if (!evidence.has(key)) return undefined;
    const state = evidence.get(key) as TaskState | undefined;
    return state === undefined ? [] : edges(state);
  });
  if (step.kind === 'need') return { kind: 'needs', keys: step.taskIds.map((id) => taskKey(tenantId, id)) };
  return step.kind === 'cycle' ? { kind: 'cycle', path: step.path } : { kind: 'acyclic' };
}

/** The edges that conditions add to a task's own: only through these can they close a cycle. */
export function addedEdges(dependencies: readonly string[], conditions: Conditions): string[] {
  const own = new Set(dependencies);
  return namedTasks(conditions).filter((id) => !own.has(id));
}

/** Judges conditions of a task with these dependencies; `needs` when states are missing. */
export function judgeConditions(
  tenantId: string,
  taskId: string,
  dependencies: readonly string[],
  conditions: Conditions,
  evidence: Evidence,
): Verdict | (Decision & { kind: 'needs' }) {
  const stateOf = (id: string) => evidence.get(taskKey(tenantId, id)) as TaskState | undefined;
  let closure: string[] = [];
  if (needsClosure(conditions)) {
    const step = walkFrom(taskId).advance((next) => {
      if (next === taskId) return dependencies;
      return evidence.has(taskKey(tenantId, next)) ? (stateOf(next)?.dependencies ?? []).filter((id) => id !== taskId) : undefined;
    });
    if (step.kind === 'need') return { kind: 'needs', keys: step.taskIds.map((id) => taskKey(tenantId, id)) };
    closure = step.kind === 'closed' ? step.tasks : [];
  }
  const missing = [...namedTasks(conditions), ...dependencies].map((id) => taskKey(tenantId, id)).filter((key) => !evidence.has(key));
  if (missing.length > 0) return { kind: 'needs', keys: missing };
  return judge(conditions, { dependencies, closure, task: (id) => evidenceOf(stateOf(id)) });
}

function evidenceOf(state: TaskState | undefined): TaskEvidence | undefined {
  if (state === undefined) return undefined;
  const { status, outcome, lastExecution } = state;
  if (outcome === null || lastExecution === null) return { status, ended: null };
  const { runId, cascadeId, result } = lastExecution;
  return { status, ended: { status: outcome, runId, cascadeId, ...(result === undefined ? {} : { result }) } };
}
