import type { Json } from './json.ts';
import { isSameJson, valueAt } from './json-pointer.ts';

/** How a named task must have ended; `result` asks for one field of what it completed with (`path` is a JSON Pointer). */
export type OutcomeCondition = { taskId: string; status: 'Completed' | 'Failed'; result?: { path: string; equals: Json } };

/** Several together must all hold. */
export type Conditions = {
  /** true = every task in the whole closure of the task's dependencies is Completed; a list = these are. */
  dependenciesComplete?: true | string[];
  /** At least `min` of the direct dependencies are Completed; a list = these are. */
  dependenciesCompleted?: { min: number } | string[];
  outcome?: OutcomeCondition;
};

/** What another task's snapshot says. */
export type TaskEvidence = {
  /** Draft, Scheduled, Running, Completed, Failed or Cancelled, as everybody sees it. */
  status: string;
  /**
   * How its last run ended for good, as long as that stands: null while a run is under way or awaits its next attempt, and after a
   * reschedule. For a recurring task, which is Scheduled again after each run, it stands until the next run begins.
   */
  ended: EndedRun | null;
};

export type EndedRun = { status: 'Completed' | 'Failed'; runId: string; result?: Json };

export type Evidence = {
  /** The task's own direct dependencies. */
  dependencies: readonly string[];
  /** Everything that they lead to, themselves included, without the task; needed only for `dependenciesComplete: true`. */
  closure: readonly string[];
  task(taskId: string): TaskEvidence | undefined;
};

/** One line of an explained verdict, as API.md's `conditions` shows it. */
export type Explanation = { taskId: string; required: string; actual: string; met: boolean };
export type Verdict = { met: boolean; verdict: Explanation[] };

/**
 * C1: `met` says whether every condition holds; `verdict` has a line for each task of each condition, in the order of the conditions.
 * C2: a run that failed but will be tried again has not ended, and satisfies nothing.
 * C3: what is true now counts, however old. (A task that a cascade has re-armed has no outcome any more, so inside a cascade only new runs are true.)
 * C4: with `{min}` a line says whether its own task counts; enough of them make the condition hold.
 */
export function judge(conditions: Conditions, evidence: Evidence): Verdict {
  const { dependenciesComplete, dependenciesCompleted, outcome } = conditions;
  const parts: Verdict[] = [];
  if (dependenciesComplete === true) parts.push(allCompleted(evidence.closure, evidence));
  else if (dependenciesComplete !== undefined) parts.push(allCompleted(dependenciesComplete, evidence));
  if (Array.isArray(dependenciesCompleted)) parts.push(allCompleted(dependenciesCompleted, evidence));
  else if (dependenciesCompleted !== undefined) parts.push(someCompleted(dependenciesCompleted.min, evidence));
  if (outcome !== undefined) parts.push(every([explainOutcome(outcome, evidence)]));
  return { met: parts.every((part) => part.met), verdict: parts.flatMap((part) => part.verdict) };
}

/** The tasks that the conditions name, sorted, each once: they count as edges of the task whose conditions these are. */
export function namedTasks({ dependenciesComplete, dependenciesCompleted, outcome }: Conditions): string[] {
  const named = new Set<string>();
  for (const list of [dependenciesComplete, dependenciesCompleted]) if (Array.isArray(list)) for (const taskId of list) named.add(taskId);
  if (outcome !== undefined) named.add(outcome.taskId);
  return [...named].sort();
}

/** Whether judging them takes the whole closure of the task's dependencies, or only the named tasks and direct dependencies. */
export const needsClosure = (conditions: Conditions): boolean => conditions.dependenciesComplete === true;

const every = (verdict: Explanation[]): Verdict => ({ met: verdict.every((line) => line.met), verdict });

const allCompleted = (taskIds: readonly string[], evidence: Evidence): Verdict =>
  every(taskIds.map((taskId) => explain(taskId, 'Completed', evidence)));

function someCompleted(min: number, evidence: Evidence): Verdict {
  const { dependencies } = evidence;
  const required = `Completed (at least ${min} of ${dependencies.length})`;
  const verdict = dependencies.map((taskId) => ({ ...explain(taskId, 'Completed', evidence), required }));
  return { met: verdict.filter((line) => line.met).length >= min, verdict };
}

function explain(taskId: string, required: EndedRun['status'], evidence: Evidence): Explanation {
  const task = evidence.task(taskId);
  if (task === undefined) return { taskId, required, actual: 'unknown task', met: false };
  const actual = task.ended?.status ?? task.status;
  return { taskId, required, actual, met: task.ended?.status === required };
}

/** The value that was found is not shown: a verdict goes into the waiting task's events, whose readers need not see the other's result. */
function explainOutcome({ taskId, status, result }: OutcomeCondition, evidence: Evidence): Explanation {
  const plain = explain(taskId, status, evidence);
  if (result === undefined) return plain;
  const required = `${status} with result ${where(result.path)} equal to ${shorten(JSON.stringify(result.equals))}`;
  if (!plain.met) return { ...plain, required };
  const found = valueAt(evidence.task(taskId)?.ended?.result ?? null, result.path);
  if (found === undefined) return { taskId, required, actual: `${status} with nothing ${at(result.path)}`, met: false };
  const met = isSameJson(found, result.equals);
  return { taskId, required, actual: met ? required : `${status} with another value ${at(result.path)}`, met };
}

const where = (path: string): string => (path === '' ? 'as a whole' : path);
const at = (path: string): string => (path === '' ? where(path) : `at ${path}`);
const shorten = (text: string): string => (text.length > 100 ? `${text.slice(0, 100)}…` : text);
