import type { Command } from '../command.ts';
import type { Decision, Evidence } from '../decider.ts';
import type { ChangeTaskBody } from './commands.ts';
import { arm } from './decide-schedule.ts';
import { circular, event, isOwner, NOTHING, notOwner, propose, refuse } from './decision.ts';
import { addedTo, TOO_LARGE, walk } from './evidence.ts';
import type { Proposal, TaskChanges, TaskState } from './state.ts';

/**
 * A patch. T7: new edges take two steps: they are stored as proposed, and only then, when whoever changes another task can see them, is the graph
 * walked and the change made or refused as a whole. The answer is the second step's.
 */
export function change(state: TaskState, command: Command & { type: 'ChangeTask' }): Decision {
  if (!isOwner(state, command)) return notOwner(state, command);
  const { dependencies, ...changes } = command.body;
  if (dependencies !== undefined) return propose(state, command, { dependencies, changes });
  return event('TaskChanged', state.status, { changes: changesOf(state, changes) });
}

/** The second step of T7, on the task as it is now: what was proposed is worked out only here, so that nothing decided meanwhile gets lost. */
export function confirm(
  state: TaskState,
  command: Command & { type: 'ConfirmDependencies' },
  sequence: number,
  at: number,
  evidence: Evidence,
): Decision {
  const { proposal } = state;
  if (proposal === null || proposal.commandId !== command.body.proposal) return NOTHING;
  const { commandId } = proposal;
  if (proposal.kind === 'reschedule')
    return ending(proposal, arm(state, { ...command, type: 'RescheduleTask', body: proposal.body, commandId }, sequence, at, evidence));
  const { dependencies, changes } = proposal;
  const way = walk(state.tenantId, state.taskId, addedTo(state.dependencies, dependencies), evidence);
  if (way.kind === 'needs') return way;
  const asked = { ...command, type: 'ChangeTask', body: { dependencies, ...changes }, commandId } as const;
  if (way.kind === 'cycle') return ending(proposal, circular(state, asked, way.path));
  if (way.kind === 'tooLarge') return ending(proposal, refuse(state, asked, 'invalid_request', `dependencies: ${TOO_LARGE}`));
  const changed = { dependencies, previous: state.dependencies, changes: changesOf(state, changes), proposal: commandId };
  return event('DependenciesChanged', state.status, changed);
}

/** Whatever the second step leads to names the proposal, which that ends (T2). */
const ending = ({ commandId }: Proposal, decision: Decision): Decision =>
  decision.kind === 'event'
    ? { ...decision, event: { ...decision.event, metadata: { ...decision.event.metadata, proposal: commandId } } }
    : decision;

function changesOf(state: TaskState, { target, retry, ...plain }: Omit<ChangeTaskBody, 'dependencies'>): TaskChanges {
  return {
    ...plain,
    ...(retry === undefined ? {} : { retry: { ...state.retry, ...retry } }),
    ...(target === undefined
      ? {}
      : { target: target === null ? null : { ...target, secretGeneration: (state.target?.secretGeneration ?? 0) + 1 } }),
  };
}
