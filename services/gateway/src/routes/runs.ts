import { rescheduleTask, triggerTask } from '@retrigger/contract/task-bodies.ts';
import { rescheduled, triggered } from '@retrigger/contract/task-schema.ts';
import type { Api } from '../api.ts';
import { checkTask, isDueAtOnce } from '../task-checks.ts';
import { taskInPath, taskParameters } from './task-in-path.ts';

/** What makes a task run: now, or when its schedule says. */
export function runRoutes(api: Api): void {
  const { deps } = api;
  api.change(
    {
      method: 'POST',
      path: '/api/v1/tasks/{taskId}/trigger',
      actor: 'user',
      schema: triggerTask,
      cost: () => 1,
      parameter: taskInPath,
      work: (taskId, body) => ({ type: 'TriggerTask', taskId, body }),
      check: (caller, work) => checkTask(caller, work, deps),
      hasDryRun: true,
    },
    {
      summary: 'Trigger a task now',
      description:
        'From Draft, Scheduled and Failed. Only its owner or an admin. Without `conditions` it doesn’t look at dependencies; with them it is refused at once when one is unmet.',
      tag: 'Tasks',
      parameters: taskParameters,
      body: triggerTask,
      success: { 202: { description: 'Triggered', data: triggered } },
      problems: ['circular_dependency', 'task_not_found', 'task_already_running', 'invalid_state', 'conditions_unmet'],
    },
  );
  api.change(
    {
      method: 'PUT',
      path: '/api/v1/tasks/{taskId}/reschedule',
      actor: 'user',
      schema: rescheduleTask,
      cost: ({ context: _c, force: _f, cascade: _a, reason: _r, ...schedule }, now) => (isDueAtOnce(schedule, now) ? 1 : 0),
      parameter: taskInPath,
      work: (taskId, { context, force, cascade, reason, ...schedule }) => ({
        type: 'RescheduleTask',
        taskId,
        body: {
          schedule,
          ...(context === undefined ? {} : { context }),
          ...(force === undefined ? {} : { force }),
          ...(cascade === undefined ? {} : { cascade }),
          ...(reason === undefined ? {} : { reason }),
        },
      }),
      check: (caller, work) => checkTask(caller, work, deps),
      hasDryRun: true,
    },
    {
      summary: 'Give a task another schedule',
      description:
        'From every status; Running only with `force`, which cancels the execution. Only the schedule changes, and the context when one is given. Only its owner or an admin.',
      tag: 'Tasks',
      parameters: taskParameters,
      body: rescheduleTask,
      success: { 200: { description: 'Rescheduled', data: rescheduled } },
      problems: ['circular_dependency', 'task_not_found', 'task_already_running', 'invalid_state'],
    },
  );
}
