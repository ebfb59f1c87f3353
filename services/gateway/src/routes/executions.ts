import { reported } from '@retrigger/contract/task-schema.ts';
import { z } from 'zod';
import type { Api } from '../api.ts';
import { COMMANDS, type CommandCall, executionProblem } from '../command-table.ts';

export function executionRoutes(api: Api): void {
  const report = <B>(name: string, summary: string, command: CommandCall<B>) =>
    api.change<B>(
      {
        ...command,
        method: 'POST',
        path: `/api/v1/executions/{executionId}/${name}`,
        parameter: { name: 'executionId', check: executionProblem },
      },
      {
        summary,
        description: 'The same report again is answered the same. After `stale_execution` stop working on it.',
        tag: 'Executions',
        parameters: z.object({ executionId: z.string().meta({ description: 'As the trigger answered it' }) }),
        body: command.schema,
        success: { 200: { description: 'Taken', data: reported } },
        problems: ['task_not_found', 'not_found', 'stale_execution'],
      },
    );
  report('started', 'Report that an execution was taken up', COMMANDS.StartExecution);
  report('heartbeat', 'Report that an execution is still running', COMMANDS.HeartbeatExecution);
  report('completed', 'Report that an execution has succeeded', COMMANDS.CompleteExecution);
  report('failed', 'Report that an execution has failed', COMMANDS.FailExecution);
}
