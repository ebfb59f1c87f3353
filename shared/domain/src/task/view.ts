import type { JsonObject } from '../json.ts';
import type { TaskState } from './state.ts';

/** A task as API.md shows it: absent instead of null, nothing internal. `target.secret` is filled in by the gateway, once. */
export function taskView(state: TaskState): JsonObject {
  const { tenantId: _, durationsMs: __, target, deadline, estimatedDuration, execution, lastExecution, ...shown } = state;
  return {
    ...shown,
    ...(target === null ? {} : { target: targetView(target) }),
    ...(deadline === null ? {} : { deadline }),
    ...(estimatedDuration === null ? {} : { estimatedDuration }),
    ...(execution === null ? {} : { execution: executionView(execution) }),
    ...(lastExecution === null ? {} : { lastExecution: lastExecution as unknown as JsonObject }),
  };
}

function targetView({ secretGeneration: _, ...target }: NonNullable<TaskState['target']>): JsonObject {
  return target;
}

function executionView({ startedAt, ...execution }: NonNullable<TaskState['execution']>): JsonObject {
  return startedAt === null ? execution : { ...execution, startedAt };
}
