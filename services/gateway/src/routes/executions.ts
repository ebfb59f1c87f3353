import { completedReport, emptyReport, failedReport } from '@retrigger/contract/execution-bodies.ts';
import { reported } from '@retrigger/contract/task-schema.ts';
import { taskOfExecution } from '@retrigger/domain/identifiers.ts';
import { z } from 'zod';
import type { Api } from '../api.ts';
import type { Problem } from '../problem.ts';
import type { ChangingCall } from '../read-call.ts';

/** The code of an error that an executor reports itself; `deadline_exceeded` and the like are ours. */
const REPORTED_ERROR = 'execution_failed';

const inPath = {
  name: 'executionId',
  check: (text: string): Problem | undefined =>
    taskOfExecution(text) === undefined ? { code: 'not_found', detail: 'There is no such execution' } : undefined,
};

/** An execution's id names its task. */
const taskOf = (executionId: string): string => taskOfExecution(executionId) ?? '';

const common = {
  method: 'POST',
  actor: 'executor',
  cost: () => 0,
  parameter: inPath,
} as const;

export function executionRoutes(api: Api): void {
  const change = <B>(name: string, summary: string, call: Pick<ChangingCall<B>, 'schema' | 'work'>) =>
    api.change<B>(
      { ...common, path: `/api/v1/executions/{executionId}/${name}`, ...call },
      {
        summary,
        description: 'The same report again is answered the same. After `stale_execution` stop working on it.',
        tag: 'Executions',
        parameters: z.object({ executionId: z.string().meta({ description: 'As the trigger answered it' }) }),
        body: call.schema,
        success: { 200: { description: 'Taken', data: reported } },
        problems: ['task_not_found', 'not_found', 'stale_execution'],
      },
    );
  change('started', 'Report that an execution was taken up', {
    schema: emptyReport,
    work: (executionId) => ({ type: 'StartExecution', taskId: taskOf(executionId), body: { executionId } }),
  });
  change('heartbeat', 'Report that an execution is still running', {
    schema: emptyReport,
    work: (executionId) => ({ type: 'HeartbeatExecution', taskId: taskOf(executionId), body: { executionId } }),
  });
  change('completed', 'Report that an execution has succeeded', {
    schema: completedReport,
    work: (executionId, body) => ({ type: 'CompleteExecution', taskId: taskOf(executionId), body: { executionId, ...body } }),
  });
  change('failed', 'Report that an execution has failed', {
    schema: failedReport,
    work: (executionId, { error, ...body }) => ({
      type: 'FailExecution',
      taskId: taskOf(executionId),
      body: { executionId, error: { code: REPORTED_ERROR, message: error }, ...body },
    }),
  });
}
