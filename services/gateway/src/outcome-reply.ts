import { isJsonObject } from '@retrigger/contract/fields.ts';
import type { CommandType } from '@retrigger/domain/command.ts';
import { taskKey } from '@retrigger/domain/identifiers.ts';
import type { JsonObject } from '@retrigger/domain/json.ts';
import type { Outcome } from '@retrigger/domain/refusal.ts';
import type { TaskEvent } from '@retrigger/domain/task/events.ts';
import type { GatewayDeps } from './deps.ts';
import { problemBody, problemReply, refusalProblem, statusOf } from './problem.ts';
import { type Reply, success } from './reply.ts';

/** HTTP numbers of what is accepted, where they are not 200. */
const ACCEPTED_STATUS: Partial<Record<CommandType, number>> = { CreateTask: 201, TriggerTask: 202, EraseData: 202 };

/** The command that an outcome belongs to. */
export type Decided = { commandId: string; type: string; tenantId: string; taskId: string };

export const commandPath = (commandId: string): string => `/api/v1/commands/${commandId}`;

/** Refusals that leave no event in a task's history, so the door tells of them. */
const WITHOUT_EVENT = new Set(['task_not_found', 'idempotency_key_reused']);

type Ports = Pick<GatewayDeps, 'secrets' | 'events' | 'privacy'>;

/** The answer to a decided command: the same bytes however often, and whoever remembers the outcome. */
export async function outcomeReply(command: Decided, outcome: Outcome, ports: Ports): Promise<Reply> {
  if (outcome.kind === 'refused') {
    const { refusal, ...reply } = problemReply(refusalProblem(outcome.refusal), commandPath(command.commandId));
    const isToldHere = refusal !== undefined && (WITHOUT_EVENT.has(refusal) || (command.type === 'CreateTask' && refusal === 'forbidden'));
    return isToldHere ? { ...reply, refusal } : reply;
  }
  const location: { [name: string]: string } = command.type === 'CreateTask' ? { location: `/api/v1/tasks/${command.taskId}` } : {};
  return success(statusFor(command), await shownAnswer(command, outcome.answer, ports), location);
}

/** The same as a value, for whoever asks for the command. */
export async function outcomeBody(command: Decided, outcome: Outcome, ports: Ports): Promise<{ status: number; body: JsonObject }> {
  if (outcome.kind === 'refused') {
    const problem = refusalProblem(outcome.refusal);
    return { status: statusOf(problem.code), body: problemBody(problem, commandPath(command.commandId)) };
  }
  const status = statusFor(command);
  return { status, body: { status, data: await shownAnswer(command, outcome.answer, ports) } };
}

const statusFor = ({ type }: Decided): number => ACCEPTED_STATUS[type as CommandType] ?? 200;

/** The first generation of a target's secret: the one that creating the task makes. */
const FIRST_GENERATION = 1;

/** The answer opened. `target.secret` is shown to whoever has just set the target; it is derived, not stored. */
async function shownAnswer(command: Decided, sealed: JsonObject, { secrets, events, privacy }: Ports): Promise<JsonObject> {
  const { tenantId, taskId } = command;
  const answer = await privacy.disclosure.task(tenantId, sealed);
  const { target } = answer;
  if (!isJsonObject(target)) return answer;
  const generation = await generationSet(command, answer, events);
  if (generation === undefined) return answer;
  const secret = `whsec_${secrets.derive('target', tenantId, taskId, generation).toString('base64')}`;
  return { ...answer, target: { ...target, secret } };
}

/** The generation that the command gave the target; undefined when it left it alone. A patch's is in its event, which the task's version names. */
async function generationSet(
  { type, tenantId, taskId }: Decided,
  { version }: JsonObject,
  events: Ports['events'],
): Promise<number | undefined> {
  if (type === 'CreateTask') return FIRST_GENERATION;
  if ((type !== 'ChangeTask' && type !== 'ConfirmDependencies') || typeof version !== 'number') return undefined;
  const [stored] = await events.read(taskKey(tenantId, taskId), { from: version, to: version, limit: 1, order: 'asc' });
  const event = stored?.event as TaskEvent | undefined;
  if (event?.eventType !== 'TaskChanged' && event?.eventType !== 'DependenciesChanged') return undefined;
  return event.metadata.changes.target?.secretGeneration;
}
