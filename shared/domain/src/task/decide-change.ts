import type { Command } from '../command.ts';
import type { Decision, Evidence } from '../decider.ts';
import { REFUSAL_TITLES } from '../refusal.ts';
import type { ChangeTaskBody } from './commands.ts';
import { event, isOwner, NOTHING, notOwner, refuse } from './decision.ts';
import { walk } from './evidence.ts';
import type { TaskChanges, TaskState } from './state.ts';

/**
 * A patch. T7: new dependencies take two steps: they are stored as proposed, and only then, when whoever changes another task can see them, is the graph
 * walked and the change confirmed or refused as a whole. The answer is the second step's.
 */
export function change(state: TaskState, command: Command & { type: 'ChangeTask' }): Decision {
  if (!isOwner(state, command)) return notOwner(state, command);
  const { dependencies, ...body } = command.body;
  const changes = changesOf(state, body);
  if (dependencies === undefined) return event('TaskChanged', state.status, { changes });
  if (state.proposal !== null) {
    if (state.proposal.commandId === command.commandId) return NOTHING; // a twin: the answer is on its way
    return refuse(state, command, 'invalid_state', 'Another change of its dependencies is being checked; try again when that is decided');
  }
  return event('DependenciesProposed', state.status, { dependencies, previous: state.dependencies, changes });
}

/** The second step of T7. */
export function confirm(state: TaskState, command: Command & { type: 'ConfirmDependencies' }, evidence: Evidence): Decision {
  const { proposal } = state;
  if (proposal === null || proposal.commandId !== command.body.proposal) return NOTHING;
  const way = walk(state.tenantId, state.taskId, proposal.dependencies, evidence);
  if (way.kind === 'needs') return way;
  const { dependencies, changes } = proposal;
  if (way.kind === 'acyclic') return event('DependenciesChanged', state.status, { dependencies, previous: state.dependencies, changes });
  return event('CommandRefused', state.status, {
    command: 'ChangeTask',
    code: 'circular_dependency',
    title: REFUSAL_TITLES.circular_dependency,
    detail: `Tasks would wait for each other: ${way.path.join(' → ')}`,
    more: { cycle: way.path },
    proposal: proposal.commandId,
  });
}

function changesOf(state: TaskState, { target, retry, ...plain }: Omit<ChangeTaskBody, 'dependencies'>): TaskChanges {
  return {
    ...plain,
    ...(retry === undefined ? {} : { retry: { ...state.retry, ...retry } }),
    ...(target === undefined
      ? {}
      : { target: target === null ? null : { ...target, secretGeneration: (state.target?.secretGeneration ?? 0) + 1 } }),
  };
}
