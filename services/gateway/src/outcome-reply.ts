import type { CommandType } from '@retrigger/domain/command.ts';
import type { JsonObject } from '@retrigger/domain/json.ts';
import type { Outcome } from '@retrigger/domain/refusal.ts';
import type { Secrets } from '@retrigger/ports/secrets.ts';
import { problemBody, problemReply, refusalProblem, statusOf } from './problem.ts';
import { type Reply, success } from './reply.ts';

/** HTTP numbers of what is accepted, where they are not 200. */
const ACCEPTED_STATUS: Partial<Record<CommandType, number>> = { CreateTask: 201, TriggerTask: 202 };

/** The command that an outcome belongs to. */
export type Decided = { commandId: string; type: string; tenantId: string; taskId: string };

export const commandPath = (commandId: string): string => `/api/v1/commands/${commandId}`;

/** Refusals that leave no event in a task's history, so the door tells of them. */
const WITHOUT_EVENT = new Set(['task_not_found', 'idempotency_key_reused']);

/** The answer to a decided command: the same bytes however often, and whoever remembers the outcome. */
export function outcomeReply(command: Decided, outcome: Outcome, secrets: Secrets): Reply {
  if (outcome.kind === 'refused') {
    const { refusal, ...reply } = problemReply(refusalProblem(outcome.refusal), commandPath(command.commandId));
    return refusal !== undefined && WITHOUT_EVENT.has(refusal) ? { ...reply, refusal } : reply;
  }
  const location: { [name: string]: string } = command.type === 'CreateTask' ? { location: `/api/v1/tasks/${command.taskId}` } : {};
  return success(statusFor(command), withSecret(command, outcome.answer, secrets), location);
}

/** The same as a value, for whoever asks for the command. */
export function outcomeBody(command: Decided, outcome: Outcome, secrets: Secrets): { status: number; body: JsonObject } {
  if (outcome.kind === 'refused') {
    const problem = refusalProblem(outcome.refusal);
    return { status: statusOf(problem.code), body: problemBody(problem, commandPath(command.commandId)) };
  }
  const status = statusFor(command);
  return { status, body: { status, data: withSecret(command, outcome.answer, secrets) } };
}

const statusFor = ({ type }: Decided): number => ACCEPTED_STATUS[type as CommandType] ?? 200;

/** The first generation of a target's secret: the one that creating the task makes. */
const FIRST_GENERATION = 1;

/** `target.secret` is shown once, to whoever created the target; it is derived, not stored. */
function withSecret({ type, tenantId, taskId }: Decided, answer: JsonObject, secrets: Secrets): JsonObject {
  const { target } = answer;
  if (type !== 'CreateTask' || typeof target !== 'object' || target === null || Array.isArray(target)) return answer;
  const secret = `whsec_${secrets.derive('target', tenantId, taskId, FIRST_GENERATION).toString('base64')}`;
  return { ...answer, target: { ...target, secret } };
}
