import { rescheduleTask, triggerTask } from '@retrigger/contract/task-bodies.ts';
import { rescheduled, triggered } from '@retrigger/contract/task-schema.ts';
import type { Api } from '../api.ts';
import { COMMANDS } from '../command-table.ts';
import { taskInPath, taskParameters } from './task-in-path.ts';

/** What makes a task run: now, or when its schedule says. */
export function runRoutes(api: Api): void {
  api.change(
    {
      ...COMMANDS.TriggerTask,
      method: 'POST',
      path: '/api/v1/tasks/{taskId}/trigger',
      parameter: taskInPath,
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
      ...COMMANDS.RescheduleTask,
      method: 'PUT',
      path: '/api/v1/tasks/{taskId}/reschedule',
      parameter: taskInPath,
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
