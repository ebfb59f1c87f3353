import type { Conditions } from '@retrigger/domain/conditions.ts';
import type { Schedule } from '@retrigger/domain/schedule.ts';
import type { CreateTaskBody, RescheduleBody } from '@retrigger/domain/task/commands.ts';
import type { TaskEvent } from '@retrigger/domain/task/events.ts';
import type { Status } from '@retrigger/domain/task/state.ts';
import { Cluster } from './cluster.ts';
import { command, EXECUTOR } from './command-samples.ts';

let issued = 0;
export const id = () => `c-${issued++}`;
export const reporter = { actor: EXECUTOR, roles: ['executor' as const] };

export const create = (taskId: string, body: Partial<CreateTaskBody> = {}) =>
  command({ type: 'CreateTask', body: { type: 'step', ...body } }, { taskId, commandId: id() });
export const trigger = (taskId: string) => command({ type: 'TriggerTask', body: {} }, { taskId, commandId: id() });
export const reschedule = (taskId: string, body: RescheduleBody) => command({ type: 'RescheduleTask', body }, { taskId, commandId: id() });
export const change = (taskId: string, dependencies: string[]) =>
  command({ type: 'ChangeTask', body: { dependencies } }, { taskId, commandId: id() });

export const after = (conditions: Conditions): Schedule => ({ strategy: 'conditional', conditions });

/** The current execution of a task ends. */
export function report(cluster: Cluster, taskId: string, how: 'Completed' | 'Failed', result: string | null = null): void {
  const executionId = cluster.state(taskId)?.execution?.executionId ?? 'nothing runs';
  cluster.send(
    how === 'Completed'
      ? command({ type: 'CompleteExecution', body: { executionId, result } }, { ...reporter, taskId, commandId: id() })
      : command(
          { type: 'FailExecution', body: { executionId, error: { code: 'failed', message: 'no' } } },
          { ...reporter, taskId, commandId: id() },
        ),
  );
}

export const statuses = (cluster: Cluster, ...taskIds: string[]): (Status | undefined)[] =>
  taskIds.map((taskId) => cluster.state(taskId)?.status);
export const runs = (cluster: Cluster, taskId: string): number =>
  cluster.events(taskId).filter(({ eventType }) => eventType === 'TaskTriggered').length;
export const last = (cluster: Cluster, taskId: string): TaskEvent | undefined => cluster.events(taskId).at(-1);

/** a ← b ← c …: each waits for the completion of the one before. */
export function chain(length: number): { cluster: Cluster; names: string[] } {
  const cluster = new Cluster();
  const names = Array.from({ length }, (_, index) => `step-${index}`);
  for (const [index, name] of names.entries()) {
    const before = names[index - 1];
    const body = before === undefined ? {} : { dependencies: [before], schedule: after({ dependenciesComplete: true }) };
    cluster.send(create(name, body));
  }
  cluster.settle();
  return { cluster, names };
}
