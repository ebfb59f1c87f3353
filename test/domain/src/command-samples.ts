import type { Command, CommandHeader } from '@retrigger/domain/command.ts';
import type { TaskCommandBody } from '@retrigger/domain/task/commands.ts';

export const OWNER = { id: 'ada', type: 'user' } as const;
export const EXECUTOR = { id: 'runner-1', type: 'executor' } as const;

const HEADER: CommandHeader = {
  commandId: 'c-0',
  tenantId: 'acme',
  taskId: 'deploy',
  actor: OWNER,
  roles: ['operator'],
  correlationId: 'corr-1',
};

/** A command with everything but what a test is about filled in. */
export const command = (body: TaskCommandBody, header: Partial<CommandHeader> = {}): Command => ({ ...HEADER, ...header, ...body });

export const create = (header: Partial<CommandHeader> = {}): Command =>
  command({ type: 'CreateTask', body: { type: 'deployment', context: { region: 'eu' } } }, { commandId: 'c-create', ...header });

export const trigger = (header: Partial<CommandHeader> = {}): Command =>
  command({ type: 'TriggerTask', body: {} }, { commandId: 'c-trigger', ...header });

export const cancel = (header: Partial<CommandHeader> = {}): Command =>
  command({ type: 'CancelTask', body: {} }, { commandId: 'c-cancel', ...header });

const reporter = { actor: EXECUTOR, roles: ['executor' as const] };

export const started = (executionId: string, commandId = 'c-started'): Command =>
  command({ type: 'StartExecution', body: { executionId } }, { ...reporter, commandId });

export const completed = (executionId: string, commandId = 'c-completed'): Command =>
  command({ type: 'CompleteExecution', body: { executionId, result: { ok: true } } }, { ...reporter, commandId });

export const failed = (executionId: string, commandId = 'c-failed'): Command =>
  command({ type: 'FailExecution', body: { executionId, error: { code: 'boom', message: 'It broke' } } }, { ...reporter, commandId });

export const heartbeat = (executionId: string, commandId = 'c-heartbeat'): Command =>
  command({ type: 'HeartbeatExecution', body: { executionId } }, { ...reporter, commandId });
