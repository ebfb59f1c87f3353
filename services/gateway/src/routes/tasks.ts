import { cancelTask, changeTask, createTask } from '@retrigger/contract/task-bodies.ts';
import { task } from '@retrigger/contract/task-schema.ts';
import type { Api } from '../api.ts';
import { COMMANDS } from '../command-table.ts';
import { taskInPath, taskParameters } from './task-in-path.ts';

export function taskRoutes(api: Api): void {
  api.change(
    {
      ...COMMANDS.CreateTask,
      method: 'POST',
      path: '/api/v1/tasks',
    },
    {
      summary: 'Create a task',
      tag: 'Tasks',
      body: createTask,
      success: { 201: { description: 'The new task; `target.secret` is shown this once', data: task, headers: { Location: 'The task' } } },
      problems: ['circular_dependency', 'task_exists'],
    },
  );
  api.change(
    {
      ...COMMANDS.ChangeTask,
      method: 'PATCH',
      path: '/api/v1/tasks/{taskId}',
      parameter: taskInPath,
    },
    {
      summary: 'Change a task',
      description:
        'What is absent stays; `retry` is taken field by field. New dependencies are checked for cycles with everybody else’s before this is answered. Only its owner or an admin.',
      tag: 'Tasks',
      parameters: taskParameters,
      body: changeTask,
      success: { 200: { description: 'The task; `target.secret` is shown when the target was set', data: task } },
      problems: ['circular_dependency', 'task_not_found', 'invalid_state'],
    },
  );
  api.change(
    {
      ...COMMANDS.CancelTask,
      method: 'POST',
      path: '/api/v1/tasks/{taskId}/cancel',
      parameter: taskInPath,
      hasDryRun: true,
    },
    {
      summary: 'Cancel a task',
      description: 'From Draft, Scheduled, Running and Failed. Only its owner or an admin.',
      tag: 'Tasks',
      parameters: taskParameters,
      body: cancelTask,
      success: { 200: { description: 'The task', data: task } },
      problems: ['task_not_found', 'invalid_state'],
    },
  );
}
