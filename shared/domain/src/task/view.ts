import type { JsonObject } from '../json.ts';
import { runningAnswer } from './decide-report.ts';
import type { TaskState } from './state.ts';

/** A task as API.md shows it: absent instead of null, nothing internal. `target.secret` is filled in by the gateway, once. */
export function taskView(state: TaskState): JsonObject {
  const {
    tenantId: _t,
    durationsMs: _d,
    waitsFor: _w,
    outcome: _o,
    lastConditional: _l,
    cascade: _c,
    cascades: _cs,
    pendingRetry,
    proposal,
    ...rest
  } = state;
  const { target, deadline, estimatedDuration, schedule, nextExecution, execution, lastExecution, ...shown } = rest;
  const next = pendingRetry?.at ?? nextExecution;
  return {
    ...shown,
    ...(target === null ? {} : { target: targetView(target) }),
    ...(deadline === null ? {} : { deadline }),
    ...(estimatedDuration === null ? {} : { estimatedDuration }),
    ...(schedule === null ? {} : { schedule: schedule as JsonObject }),
    ...(next === null ? {} : { nextExecution: next }),
    ...(proposal?.kind === 'change' ? { proposedDependencies: proposal.dependencies } : {}),
    ...(execution === null ? {} : { execution: executionView(state, execution) }),
    ...(lastExecution === null ? {} : { lastExecution: lastExecution as JsonObject }),
  };
}

function targetView({ secretGeneration: _, ...target }: NonNullable<TaskState['target']>): JsonObject {
  return target;
}

function executionView(state: TaskState, execution: NonNullable<TaskState['execution']>): JsonObject {
  const { startedAt, hasTarget: _, ...shown } = execution;
  return { ...shown, ...(startedAt === null ? {} : { startedAt }), ...runningAnswer(state, execution) };
}
