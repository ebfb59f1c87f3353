import { completedReport, emptyReport, failedReport } from '@retrigger/contract/execution-bodies.ts';
import { check } from '@retrigger/contract/field-errors.ts';
import { cancelTask, changeTask, createTask, rescheduleTask, triggerTask } from '@retrigger/contract/task-bodies.ts';
import { deriveTaskId, taskOfExecution } from '@retrigger/domain/identifiers.ts';
import type { Json } from '@retrigger/domain/json.ts';
import type { TaskCommandBody } from '@retrigger/domain/task/commands.ts';
import type { z } from 'zod';
import type { Caller } from './credentials.ts';
import { isProblem } from './exchange.ts';
import type { Problem } from './problem.ts';
import { invalidFields } from './query.ts';
import { type CheckPorts, checkTask, isDueAtOnce } from './task-checks.ts';

/** What one command asks for, once its parts are valid. */
export type Work = { taskId: string } & TaskCommandBody;

/** What a command means, whichever door it comes through. */
export type CommandCall<B> = {
  /** What it is about: a task, an execution, or a task that is yet to be. */
  about: 'task' | 'execution' | 'newTask';
  actor: 'user' | 'executor';
  schema: z.ZodType<B>;
  /** How many tasks it triggers; what the limits are charged. `now` in epoch milliseconds. */
  cost(body: B, now: number): number;
  /** `subject`: the id of what it is about; not looked at for a new task. */
  work(subject: string, body: B, commandId: string, caller: Caller): Work | Promise<Work | Problem>;
  /** What is wrong with it as the world is now; asked once, before the command is handed in. */
  check?(caller: Caller, work: Work, ports: CheckPorts): Promise<Problem | undefined>;
};

/** Keeps the type of the body inside an entry of the table. */
const call = <B>(entry: CommandCall<B>): CommandCall<B> => entry;

/** The code of an error that an executor reports itself; `deadline_exceeded` and the like are ours. */
const REPORTED_ERROR = 'execution_failed';

const FREE = () => 0;
/** An execution's id names its task. */
const taskOf = (executionId: string): string => taskOfExecution(executionId) ?? '';
const REPORT = { about: 'execution', actor: 'executor', cost: FREE } as const;

/**
 * Every command that a door takes, by its name on the work log.
 * C2: HTTP routes and the Kafka door take a command's body, cost, work and check from here, so it means the same whichever way it comes.
 * C3: what is not in here no door takes; the cluster's own commands are not.
 */
export const COMMANDS = {
  CreateTask: call({
    about: 'newTask',
    actor: 'user',
    schema: createTask,
    cost: FREE,
    work: (_, { taskId, ...body }, commandId) => ({ type: 'CreateTask', taskId: taskId ?? deriveTaskId(commandId), body }),
    check: checkTask,
  }),
  ChangeTask: call({
    about: 'task',
    actor: 'user',
    schema: changeTask,
    cost: FREE,
    work: (taskId, body) => ({ type: 'ChangeTask', taskId, body }),
    check: checkTask,
  }),
  TriggerTask: call({
    about: 'task',
    actor: 'user',
    schema: triggerTask,
    cost: () => 1,
    work: (taskId, body) => ({ type: 'TriggerTask', taskId, body }),
    check: checkTask,
  }),
  RescheduleTask: call({
    about: 'task',
    actor: 'user',
    schema: rescheduleTask,
    cost: ({ context: _c, force: _f, cascade: _a, reason: _r, ...schedule }, now) => (isDueAtOnce(schedule, now) ? 1 : 0),
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
    check: checkTask,
  }),
  CancelTask: call({
    about: 'task',
    actor: 'user',
    schema: cancelTask,
    cost: FREE,
    work: (taskId, body) => ({ type: 'CancelTask', taskId, body }),
  }),
  StartExecution: call({
    ...REPORT,
    schema: emptyReport,
    work: (executionId) => ({ type: 'StartExecution', taskId: taskOf(executionId), body: { executionId } }),
  }),
  HeartbeatExecution: call({
    ...REPORT,
    schema: emptyReport,
    work: (executionId) => ({ type: 'HeartbeatExecution', taskId: taskOf(executionId), body: { executionId } }),
  }),
  CompleteExecution: call({
    ...REPORT,
    schema: completedReport,
    work: (executionId, body) => ({ type: 'CompleteExecution', taskId: taskOf(executionId), body: { executionId, ...body } }),
  }),
  FailExecution: call({
    ...REPORT,
    schema: failedReport,
    work: (executionId, { error, ...body }) => ({
      type: 'FailExecution',
      taskId: taskOf(executionId),
      body: { executionId, error: { code: REPORTED_ERROR, message: error }, ...body },
    }),
  }),
} satisfies { [type in TaskCommandBody['type']]?: unknown };

export type DoorCommand = keyof typeof COMMANDS;

export const isDoorCommand = (type: string): type is DoorCommand => Object.hasOwn(COMMANDS, type);

/** The ids of executions that there can't be are refused before anybody is asked. */
export const executionProblem = (executionId: string): Problem | undefined =>
  taskOfExecution(executionId) === undefined ? { code: 'not_found', detail: 'There is no such execution' } : undefined;

/** Whose command it is, under which id, and the time, epoch ms. */
export type Circumstances = { commandId: string; caller: Caller; now: number };

/** What a valid body asks for and costs, or why that can't be. */
export async function workOf<B>(
  { work, cost }: Pick<CommandCall<B>, 'work' | 'cost'>,
  subject: string,
  body: B,
  { commandId, caller, now }: Circumstances,
): Promise<{ work: Work; cost: number } | Problem> {
  const asked = await work(subject, body, commandId, caller);
  return isProblem(asked) ? asked : { work: asked, cost: cost(body, now) };
}

/** A body that obeys its schema, or what is wrong with it. */
export function validBody<B>(schema: z.ZodType<B>, given: Json): { body: B } | Problem {
  const checked = check(schema, given);
  if (checked.kind === 'valid') return { body: checked.value };
  const problem = invalidFields(checked.errors);
  return checked.tooLarge ? { ...problem, code: 'payload_too_large' } : problem;
}
