import type { Command } from '../command.ts';
import type { Explanation } from '../conditions.ts';
import type { Decision, Evidence } from '../decider.ts';
import type { Head } from '../event.ts';
import { REFUSAL_TITLES } from '../refusal.ts';
import { mayStart } from './cascade.ts';
import { alreadyRunning, circular, invalidState, isOwner, notOwner, refuse } from './decision.ts';
import { addedEdges, judgeConditions, TOO_LARGE, walk } from './evidence.ts';
import { begin } from './execution.ts';
import type { Status, TaskState } from './state.ts';

const TRIGGERABLE: readonly Status[] = ['Draft', 'Scheduled', 'Failed'];
/** So many unmet conditions are told in words; `conditions` has all of them. */
const MOST_TOLD = 20;

/** Without conditions it doesn't look at dependencies: an operator's retry. With them, unmet is refused at once, line by line. */
export function trigger(
  state: TaskState,
  command: Command & { type: 'TriggerTask' },
  head: Head,
  at: number,
  evidence: Evidence,
): Decision {
  if (!isOwner(state, command)) return notOwner(state, command);
  if (state.status === 'Running') return alreadyRunning(state, command);
  if (!TRIGGERABLE.includes(state.status)) return invalidState(state, command, TRIGGERABLE);
  if (state.cascade?.root === state.taskId) {
    const ready = mayStart(state, evidence); // X2
    if (ready === false)
      return refuse(state, command, 'invalid_state', 'Its cascade is being prepared; it starts by itself when that is done');
    if (ready !== true) return ready;
  }
  const { context = state.context, triggerReason: reason = null, conditions } = command.body;
  if (conditions === undefined) return begin(state, command, head, at, { reason, context });
  const way = walk(state.tenantId, state.taskId, addedEdges(state.dependencies, conditions), evidence);
  if (way.kind === 'needs') return way;
  if (way.kind === 'cycle') return circular(state, command, way.path);
  const judged = way.kind === 'tooLarge' ? way : judgeConditions(state.tenantId, state.taskId, state.dependencies, conditions, evidence);
  if ('kind' in judged) return judged.kind === 'needs' ? judged : refuse(state, command, 'invalid_request', `conditions: ${TOO_LARGE}`);
  if (judged.met) return begin(state, command, head, at, { reason, context, conditions: judged.verdict });
  return refuse(state, command, 'conditions_unmet', `${REFUSAL_TITLES.conditions_unmet}: ${inWords(judged.verdict)}`, {
    conditions: judged.verdict,
  });
}

function inWords(verdict: readonly Explanation[]): string {
  const unmet = verdict.filter(({ met }) => !met);
  const told = unmet.slice(0, MOST_TOLD).map(({ taskId, required, actual }) => `${taskId} is ${actual}, not ${required}`);
  return `${told.join('; ')}${unmet.length > MOST_TOLD ? `; and ${unmet.length - MOST_TOLD} more` : ''}`;
}
