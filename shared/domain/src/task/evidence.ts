import { type Conditions, judge, namedTasks, needsClosure, type TaskEvidence, type Verdict } from '../conditions.ts';
import type { Decision, Evidence } from '../decider.ts';
import { type WalkStep, walkFrom } from '../dependencies.ts';
import { taskKey } from '../identifiers.ts';
import type { TaskState } from './state.ts';

/** Nobody looks at more tasks than this for one decision. */
export const MOST_WALKED = 20_000;
export const TOO_LARGE = `more than ${MOST_WALKED} tasks would have to be looked at`;

type Needs = Decision & { kind: 'needs' };
type TooLarge = { kind: 'tooLarge' };
type EdgesOf = (state: TaskState) => string[];

/** The tasks that a task waits for by its conditional schedule: edges, as long as it waits. */
const scheduled = ({ schedule }: TaskState): string[] => (schedule?.strategy === 'conditional' ? namedTasks(schedule.conditions) : []);

const proposed = ({ proposal }: TaskState): string[] =>
  proposal === null ? [] : proposal.kind === 'change' ? proposal.dependencies : proposal.named;

/** Everything that a task's end may hang on: dependencies and the tasks that its schedule names, confirmed and proposed. */
const edges: EdgesOf = (state) => {
  if (state.proposal === null && state.schedule?.strategy !== 'conditional') return state.dependencies; // nearly always, and closures are large
  return [...state.dependencies, ...proposed(state), ...scheduled(state)];
};

/**
 * Walks from a task over `own` edges and everybody else's.
 * V1: proposed edges count like confirmed ones, and every edge that others can wait on was saved, proposed at least, before the walk that admitted it
 * began: of two changes that would close a cycle together at least one sees the other. A cycle must pass a new edge, so `own` are those.
 */
export function walk(
  tenantId: string,
  taskId: string,
  own: readonly string[],
  evidence: Evidence,
): Needs | TooLarge | { kind: 'cycle'; path: string[] } | { kind: 'acyclic' } {
  const step = follow(tenantId, taskId, own, edges, evidence);
  return step.kind === 'closed' ? { kind: 'acyclic' } : step;
}

/** One walk over what is known; where that ends it asks for all that lies behind at once. */
function follow(
  tenantId: string,
  taskId: string,
  own: readonly string[],
  edgesOf: EdgesOf,
  evidence: Evidence,
): Exclude<WalkStep, { kind: 'need' }> | Needs | TooLarge {
  let read = 0;
  const step = walkFrom(taskId).advance((next) => {
    if (next === taskId) return own;
    const key = taskKey(tenantId, next);
    const state = evidence.get(key) as TaskState | undefined;
    if (state === undefined && !evidence.has(key)) return undefined;
    read++;
    return state === undefined ? [] : edgesOf(state);
  });
  if (step.kind !== 'need') return step;
  if (read >= MOST_WALKED) return { kind: 'tooLarge' };
  const keysOf = (taskIds: string[]) => taskIds.map((id) => taskKey(tenantId, id));
  let expanded = 0;
  const expand = (state: unknown) => (state === undefined || ++expanded > MOST_WALKED ? [] : keysOf(edgesOf(state as TaskState)));
  return { kind: 'needs', keys: keysOf(step.taskIds), expand };
}

/** Those edges that are not there yet: only through these can a cycle be closed. */
export function addedTo(edges: readonly string[], wanted: readonly string[]): string[] {
  const own = new Set(edges);
  return wanted.filter((id) => !own.has(id));
}

/** The edges that conditions add to a task's own. */
export const addedEdges = (dependencies: readonly string[], conditions: Conditions): string[] =>
  addedTo(dependencies, namedTasks(conditions));

/** Judges conditions of a task with these dependencies; `needs` when states are missing. `likely`: tasks that are known to lie in the closure. */
export function judgeConditions(
  tenantId: string,
  taskId: string,
  dependencies: readonly string[],
  conditions: Conditions,
  evidence: Evidence,
  likely: readonly string[] = [],
): Verdict | Needs | TooLarge {
  const stateOf = (id: string) => evidence.get(taskKey(tenantId, id)) as TaskState | undefined;
  const unread = (taskIds: readonly string[]) => taskIds.map((id) => taskKey(tenantId, id)).filter((key) => !evidence.has(key));
  let closure: string[] = [];
  if (needsClosure(conditions)) {
    const withoutSelf: EdgesOf = (state) => state.dependencies.filter((id) => id !== taskId);
    const step = follow(tenantId, taskId, dependencies, withoutSelf, evidence);
    if (step.kind === 'needs') return { ...step, keys: [...step.keys, ...unread(likely)] };
    if (step.kind === 'tooLarge') return step;
    closure = step.kind === 'closed' ? step.tasks : [];
  }
  const missing = unread([...namedTasks(conditions), ...dependencies]);
  if (missing.length > 0) return { kind: 'needs', keys: missing };
  return judge(conditions, { dependencies, closure, task: (id) => evidenceOf(stateOf(id)) });
}

/** A task doesn't watch more tasks than this at a time. */
const MOST_WATCHED = 1_000;

/** The tasks that are not yet as wanted, sorted: the first of them are watched. */
export const unmetOf = ({ verdict }: Verdict): string[] =>
  [...new Set(verdict.flatMap((line) => (line.met ? [] : [line.taskId])))].sort().slice(0, MOST_WATCHED);

/** Whether some direct dependency has not completed, so that the closure can't have: most looks at a large one end here. */
export function waitsForDirect(
  tenantId: string,
  dependencies: readonly string[],
  conditions: Conditions,
  evidence: Evidence,
): boolean | Needs {
  if (!needsClosure(conditions)) return false;
  const keys = dependencies.map((id) => taskKey(tenantId, id));
  const missing = keys.filter((key) => !evidence.has(key));
  if (missing.length > 0) return { kind: 'needs', keys: missing };
  return keys.some((key) => evidenceOf(evidence.get(key) as TaskState | undefined)?.ended?.status !== 'Completed');
}

function evidenceOf(state: TaskState | undefined): TaskEvidence | undefined {
  if (state === undefined) return undefined;
  const { status, outcome, lastExecution } = state;
  if (outcome === null || lastExecution === null) return { status, ended: null };
  const { runId, result } = lastExecution;
  return { status, ended: { status: outcome, runId, ...(result === undefined ? {} : { result }) } };
}
