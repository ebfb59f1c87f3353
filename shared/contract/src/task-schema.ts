import { STATUSES } from '@retrigger/domain/task/state.ts';
import { z } from 'zod';
import { context, id, optional, result } from './fields.ts';
import { scheduleSchema } from './schedule-schema.ts';

/** ISO 8601 UTC with milliseconds. */
export const instant = z.iso.datetime({ precision: 3 }).meta({ example: '2026-01-31T12:00:00.000Z' });

const attempt = {
  executionId: z.string(),
  runId: z.string().meta({ description: 'The same for all attempts of one trigger' }),
  attempt: z.int().min(1),
};

const failure = z.strictObject({ code: z.string(), message: z.string() });

/** A task as it is shown. */
export const task = z
  .strictObject({
    taskId: id,
    type: id,
    owner: id.meta({ description: 'The user that created it' }),
    status: z.enum(STATUSES),
    version: z.int().meta({ description: 'The sequence of the last event that changed it' }),
    dependencies: z.array(id),
    context,
    target: optional(
      z.strictObject({
        url: z.string(),
        method: optional(z.string()),
        headers: optional(z.record(z.string(), z.string())),
        timeout: optional(z.string()),
        secret: optional(z.string().meta({ description: '`whsec_…` (Standard Webhooks); only in the answer that created the target' })),
      }),
    ),
    retry: z.strictObject({
      maxAttempts: z.int(),
      baseDelay: z.string(),
      maxDelay: z.string(),
      jitter: z.enum(['none', 'full', 'equal']),
    }),
    deadline: optional(z.string()),
    critical: z.boolean(),
    sensitive: z.boolean(),
    estimatedDuration: optional(z.string()),
    onMissed: z.enum(['fire', 'skip']),
    schedule: optional(scheduleSchema),
    nextExecution: optional(instant),
    proposedDependencies: optional(z.array(id).meta({ description: 'Asked for, and being checked for cycles' })),
    retryCount: z.int().meta({ description: 'Failed attempts since it last completed or was rescheduled' }),
    execution: optional(
      z.strictObject({
        ...attempt,
        context,
        triggeredAt: instant,
        startedAt: optional(instant),
        executor: optional(id.meta({ description: 'Who has it; nobody else may report it' })),
        deadlineAt: optional(instant),
        heartbeatTimeout: z.string(),
      }),
    ),
    lastExecution: optional(
      z.strictObject({
        ...attempt,
        status: z.enum(['Completed', 'Failed', 'Cancelled']),
        triggeredAt: instant,
        endedAt: instant,
        executor: optional(id),
        result: optional(result),
        error: optional(failure),
        forced: optional(z.literal(true)),
      }),
    ),
    createdAt: instant,
    updatedAt: instant,
  })
  .meta({ id: 'Task' });

const verdict = z
  .array(z.strictObject({ taskId: id, required: z.string(), actual: z.string(), met: z.boolean() }))
  .meta({ id: 'Verdict', description: 'The conditions, task by task' });

/** What a trigger is answered. */
export const triggered = z
  .strictObject({
    executionId: z.string(),
    runId: z.string(),
    taskId: id,
    estimatedCompletion: instant,
    message: z.string(),
    conditions: optional(verdict),
  })
  .meta({ id: 'Triggered' });

/** What a reschedule is answered. */
export const rescheduled = z
  .strictObject({
    taskId: id,
    strategy: z.string(),
    previousSchedule: scheduleSchema.nullable().meta({ description: 'null: it had none' }),
    nextExecution: instant.nullable().meta({ description: 'null: its conditions decide' }),
    delayApplied: z.string().nullable().meta({ description: 'A duration; null: its conditions decide' }),
    calculationDetails: optional(
      z.looseObject({}).meta({ description: 'How the time was found: the parts of the back-off, or the cron expression and its zone' }),
    ),
  })
  .meta({ id: 'Rescheduled' });

/** A page of tasks. */
export const taskPage = z
  .strictObject({ tasks: z.array(task), pageInfo: z.strictObject({ hasMore: z.boolean(), nextCursor: z.string().nullable() }) })
  .meta({ id: 'TaskPage' });

/** What whoever claims an execution is given. */
export const claimed = z
  .strictObject({
    ...{ executionId: attempt.executionId, runId: attempt.runId },
    ...{ taskId: id, type: id },
    attempt: attempt.attempt,
    context,
    deadlineAt: optional(instant),
    heartbeatTimeout: z.string().meta({ description: 'How long the executor may be silent' }),
  })
  .meta({ id: 'Execution' });

/** What a report of an executor is answered. */
export const reported = z
  .strictObject({
    deadlineAt: optional(instant),
    heartbeatTimeout: z.string().meta({ description: 'How long the executor may be silent' }),
  })
  .meta({ id: 'Reported' });

/** What came of a command. */
export const commandState = z
  .strictObject({
    commandId: z.string(),
    state: z.enum(['pending', 'accepted', 'refused']),
    outcome: optional(
      z.strictObject({ status: z.int(), body: optional(z.looseObject({})) }).meta({ description: 'Without a body after a 204' }),
    ),
  })
  .meta({ id: 'Command' });
