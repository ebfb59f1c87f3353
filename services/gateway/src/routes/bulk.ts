import { bulkReschedule, bulkRescheduled, bulkTrigger, bulkTriggered } from '@retrigger/contract/bulk-bodies.ts';
import type { Api } from '../api.ts';
import { COMMANDS } from '../command-table.ts';

const HOW =
  'Up to 1,000 tasks, by list or by filter. Each has the result that a single call would have had; with `allOrNothing` all of them are changed or none.';

/** Many tasks in one call. */
export function bulkRoutes(api: Api): void {
  api.change(
    { ...COMMANDS.BulkTrigger, method: 'POST', path: '/api/v1/tasks/bulk/trigger', hasDryRun: true },
    {
      summary: 'Trigger many tasks',
      description: `${HOW} An item whose conditions name a task of the same bulk waits for it.`,
      tag: 'Tasks',
      body: bulkTrigger,
      success: { 200: { description: 'What came of each task', data: bulkTriggered } },
      problems: ['transaction_aborted'],
    },
  );
  api.change(
    { ...COMMANDS.BulkReschedule, method: 'PUT', path: '/api/v1/tasks/bulk/reschedule', hasDryRun: true },
    {
      summary: 'Give many tasks another schedule',
      description: HOW,
      tag: 'Tasks',
      body: bulkReschedule,
      success: { 200: { description: 'What came of each task', data: bulkRescheduled } },
      problems: ['transaction_aborted'],
    },
  );
}
