import type { Explanation } from '../conditions.ts';
import type { Json, JsonObject } from '../json.ts';
import { type Outcome, REFUSAL_TITLES, type Refusal, refused } from '../refusal.ts';
import type { ItemError } from './commands.ts';
import type { BulkPart, BulkState } from './state.ts';

const MOST_NAMED = 5;
/** A thousand tasks with thousands of dependencies each would be more than one document, record or answer holds. */
const MOST_CONDITIONS = 20;

/** A refusal as a bulk shows it of one task: the same as of a single call, but of many conditions only the first that are not met. */
export const itemError = ({ code, detail, more }: Refusal): ItemError => ({
  code,
  title: REFUSAL_TITLES[code],
  detail,
  ...(more?.conditions === undefined ? {} : { conditions: firstUnmet(more.conditions) }),
});

function firstUnmet(conditions: Json): Json {
  if (!Array.isArray(conditions) || conditions.length <= MOST_CONDITIONS) return conditions;
  return conditions.filter((line) => (line as Explanation).met === false).slice(0, MOST_CONDITIONS);
}

export const notFound = (taskId: string): ItemError => itemError({ code: 'task_not_found', detail: `There is no task ${taskId}` });

const ABORTED: ItemError = { code: 'transaction_aborted', title: REFUSAL_TITLES.transaction_aborted };

/** What one task is shown as. */
type Shown = Pick<BulkPart, 'taskId' | 'executionId' | 'nextExecution'> & { accepted: boolean; error?: ItemError };

/** What the caller of a bulk is told. Nothing of an aborted one was accepted; a task that was fine has the transaction's code. */
export function outcomeOf({ parts, decision, isOverdue }: Pick<BulkState, 'parts' | 'decision' | 'isOverdue'>): Outcome {
  const isAborted = decision === 'release';
  const results = parts.map(({ taskId, at, executionId, nextExecution, error }): Shown => {
    if (at !== 'accepted' || isAborted) return { taskId, accepted: false, error: error ?? ABORTED };
    return {
      ...{ taskId, accepted: true },
      ...(executionId === undefined ? {} : { executionId }),
      ...(nextExecution === undefined ? {} : { nextExecution }),
    };
  });
  if (isAborted) return refused('transaction_aborted', why(parts, isOverdue), { results } as unknown as JsonObject);
  const accepted = results.filter((result) => result.accepted).length;
  return { kind: 'accepted', answer: { results, accepted, refused: results.length - accepted } as unknown as JsonObject };
}

function why(parts: BulkPart[], isOverdue: boolean): string {
  const failed = parts.flatMap(({ taskId, error }) => (error === undefined ? [] : [`${taskId} (${error.code})`]));
  if (failed.length === 0 && isOverdue) return 'Nothing was changed: not every task could be reserved in time; try again';
  const more = failed.length > MOST_NAMED ? ', …' : '';
  return `Nothing was changed: ${failed.length} of ${parts.length} tasks can’t: ${failed.slice(0, MOST_NAMED).join(', ')}${more}`;
}
