import { MOST_TASKS } from '@retrigger/domain/bulk/state.ts';
import { STATUSES } from '@retrigger/domain/task/state.ts';
import { z } from 'zod';
import { conditionsSchema } from './conditions-schema.ts';
import { context, id, optional, taskId, text } from './fields.ts';
import { scheduleSchema } from './schedule-schema.ts';
import { instant } from './task-schema.ts';

const LIST = `must be a list of 1 to ${MOST_TASKS.toLocaleString('en')}`;

type Issues = z.core.$RefinementCtx;

/** The same task twice would be two commands in one. */
function eachOnce(taskIds: readonly string[], pathOf: (index: number) => PropertyKey[], context: Issues): void {
  const seen = new Set<string>();
  for (const [index, one] of taskIds.entries()) {
    if (seen.has(one)) context.addIssue({ code: 'custom', path: pathOf(index), message: `names ${one} twice; name each task once` });
    seen.add(one);
  }
}

const listOf = <T extends z.ZodType<{ taskId: string }>>(item: T) =>
  z
    .array(item, { error: `${LIST} tasks` })
    .min(1, { error: `${LIST} tasks` })
    .max(MOST_TASKS, { error: `${LIST} tasks` })
    .superRefine((tasks, issues) =>
      eachOnce(
        tasks.map((one) => one.taskId),
        (index) => [index, 'taskId'],
        issues,
      ),
    );

const taskIds = z
  .array(taskId, { error: `${LIST} task ids` })
  .min(1, { error: `${LIST} task ids` })
  .max(MOST_TASKS, { error: `${LIST} task ids` })
  .superRefine((all, issues) => eachOnce(all, (index) => [index], issues));

/** Which tasks of the tenant; all that is given must hold. */
const filter = z
  .strictObject({
    status: optional(z.enum(STATUSES, { error: `must be one of ${STATUSES.join(', ')}` })),
    type: optional(id),
    owner: optional(id.meta({ description: 'The id of a user' })),
    critical: optional(z.boolean()),
    taskIds: optional(taskIds),
  })
  .refine((given) => Object.keys(given).length > 0, { error: 'must hold at least one of status, type, owner, critical, taskIds' })
  .meta({ id: 'BulkFilter', description: 'All of it must hold; what it selects is frozen when the bulk is accepted' });

const flag = z.boolean({ error: 'must be true or false' });

const oneOf = ({ tasks, filter: given }: { tasks?: unknown; filter?: unknown }, issues: Issues): void => {
  if (tasks === undefined && given === undefined)
    issues.addIssue({ code: 'custom', path: ['tasks'], message: 'is needed, or filter: name the tasks or select them' });
  if (tasks !== undefined && given !== undefined)
    issues.addIssue({ code: 'custom', path: ['filter'], message: 'can’t go with tasks: give one of the two' });
};

export const bulkTrigger = z
  .strictObject({
    tasks: optional(listOf(z.strictObject({ taskId, context: optional(context), conditions: optional(conditionsSchema) }))),
    filter: optional(filter),
    allOrNothing: optional(flag.meta({ description: 'All of them, or none' })),
    triggerReason: optional(text),
    context: optional(context.meta({ description: 'For every task that has none of its own here' })),
  })
  .superRefine(oneOf)
  .meta({ id: 'BulkTrigger' });

export const bulkReschedule = z
  .strictObject({
    tasks: optional(listOf(z.strictObject({ taskId, schedule: optional(scheduleSchema) }))),
    filter: optional(filter),
    schedule: optional(scheduleSchema),
    allOrNothing: optional(flag.meta({ description: 'All of them, or none' })),
  })
  .superRefine(oneOf)
  .superRefine(({ tasks = [], filter: given, schedule }, issues) => {
    if (schedule !== undefined) return;
    if (given !== undefined) issues.addIssue({ code: 'custom', path: ['schedule'], message: 'is needed with a filter' });
    for (const [index, one] of tasks.entries())
      if (one.schedule === undefined)
        issues.addIssue({
          code: 'custom',
          path: ['tasks', index, 'schedule'],
          message: 'is needed: neither the task nor the bulk has a schedule',
        });
  })
  .meta({ id: 'BulkReschedule' });

export type BulkTriggerBody = z.infer<typeof bulkTrigger>;
export type BulkRescheduleBody = z.infer<typeof bulkReschedule>;

const itemError = z
  .strictObject({
    code: z.string(),
    title: z.string(),
    detail: optional(z.string()),
    conditions: optional(z.array(z.looseObject({})).meta({ description: 'Of more than 20 the first 20 that are not met' })),
  })
  .meta({ id: 'BulkItemError', description: 'What a single call would have been refused with' });

const counts = { accepted: z.int().meta({ description: 'How many' }), refused: z.int() };

/** What a bulk trigger is answered. */
export const bulkTriggered = z
  .strictObject({
    results: z.array(
      z.strictObject({
        taskId: id,
        accepted: z.boolean(),
        executionId: optional(z.string().meta({ description: 'Absent when it waits for a task of the same bulk' })),
        nextExecution: optional(instant),
        error: optional(itemError),
      }),
    ),
    ...counts,
  })
  .meta({ id: 'BulkTriggered' });

/** What a bulk reschedule is answered. */
export const bulkRescheduled = z
  .strictObject({
    results: z.array(
      z.strictObject({
        taskId: id,
        accepted: z.boolean(),
        nextExecution: optional(instant.meta({ description: 'Absent when its conditions decide' })),
        error: optional(itemError),
      }),
    ),
    ...counts,
  })
  .meta({ id: 'BulkRescheduled' });
