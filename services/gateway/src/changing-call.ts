import { check } from '@retrigger/contract/field-errors.ts';
import { fingerprint } from '@retrigger/domain/idempotency.ts';
import type { JsonObject } from '@retrigger/domain/json.ts';
import { isGranted, type Permission } from '@retrigger/domain/permissions.ts';
import type { TaskCommandBody } from '@retrigger/domain/task/commands.ts';
import { type Admission, type CommandAdmission, commandIdOf } from '@retrigger/engine/admit-command.ts';
import type { Context } from 'hono';
import type { z } from 'zod';
import type { Caller } from './credentials.ts';
import type { GatewayDeps } from './deps.ts';
import { callerOf, isProblem } from './exchange.ts';
import { commandPath, outcomeReply } from './outcome-reply.ts';
import { admissionProblem, type Problem, problemReply } from './problem.ts';
import { invalidFields, readQuery } from './query.ts';
import { type Reply, success } from './reply.ts';
import { readBody } from './request-body.ts';
import { idempotencyKey, traceparentOf, waitOf } from './request-headers.ts';

/** What one changing call asks for, once its parts are valid. */
export type Work = { taskId: string } & TaskCommandBody;

/** A changing call: everything that is particular to it. */
export type ChangingCall<B> = {
  method: 'POST';
  /** With its parameter in braces, as OpenAPI writes it. */
  path: string;
  permission: Permission;
  actor: 'user' | 'executor';
  schema: z.ZodType<B>;
  /** Tasks that it triggers. */
  cost: number;
  /** The path's parameter when it is one, else why not. Calls without a parameter have none. */
  parameter?: { name: string; check(text: string): Problem | undefined };
  work(parameter: string, body: B, commandId: string): Work;
  /** What else the door must know before it hands the command in. */
  verify?(caller: Caller, work: Work): Promise<Problem | undefined>;
};

/** A call that was read and found valid, or the problem with it. */
type Read = { caller: Caller; work: Work; body: JsonObject; isRepeatable: boolean } | Problem;

const NO_PARAMETERS: readonly string[] = [];

/**
 * The door for changing calls: credentials, idempotency key, query, body, the call's own checks, and then the law of admission, in this order.
 * Every answer names the command, also one that was refused before it became one.
 */
export async function changingReply<B>(
  c: Context,
  call: ChangingCall<B>,
  deps: GatewayDeps,
  admission: CommandAdmission,
  requestId: string,
): Promise<Reply> {
  const incoming = traceparentOf(c.req.header('traceparent'));
  return deps.observer.span(`http ${call.method} ${call.path}`, incoming, { requestId }, async (traceparent) => {
    const id = { commandId: '' };
    const read = await readCall(c, call, deps, id);
    if (isProblem(read)) return named(problemReply(read, commandPath(id.commandId)), id.commandId);
    const { caller, work, body, isRepeatable } = read;
    const { tenantId } = caller;
    const admitted = await admission.admit({
      command: {
        commandId: id.commandId,
        tenantId,
        actor: { id: caller.userId, type: call.actor },
        roles: caller.roles,
        correlationId: requestId,
        ...(traceparent === '' ? {} : { traceparent }),
        fingerprint: fingerprint(body),
        ...work,
      },
      permission: call.permission,
      isRepeatable,
      cost: call.cost,
      waitMs: waitOf(c.req.header('prefer')),
    });
    return named(admissionReply(admitted, { commandId: id.commandId, type: work.type, tenantId, taskId: work.taskId }, deps), id.commandId);
  });
}

/** `id` is set as soon as the command has one: from the key when there is a usable one, else fresh. */
async function readCall<B>(c: Context, call: ChangingCall<B>, deps: GatewayDeps, id: { commandId: string }): Promise<Read> {
  id.commandId = deps.freshId();
  const caller = await callerOf(c, deps);
  if (isProblem(caller)) return caller;
  const given = idempotencyKey(c.req.header('idempotency-key'), c.req.header('x-idempotency-key'));
  if (given.kind === 'problem') return given.problem;
  const parameter = call.parameter === undefined ? '' : (c.req.param(call.parameter.name) ?? '');
  const wrong = call.parameter?.check(parameter);
  if (wrong !== undefined) return wrong;
  if (given.key !== null) {
    const path = call.parameter === undefined ? call.path : call.path.replace(`{${call.parameter.name}}`, parameter);
    id.commandId = commandIdOf({ door: 'http', ...caller }, { method: call.method, path }, given.key, deps.freshId);
  }
  const query = readQuery(c.req.url, NO_PARAMETERS);
  if (query.kind === 'problem') return query.problem;
  const body = await readBody(c);
  if (body.kind === 'problem') return body.problem;
  const checked = check(call.schema, body.value);
  if (checked.kind === 'invalid') {
    const problem = invalidFields(checked.errors);
    return checked.tooLarge ? { ...problem, code: 'payload_too_large' } : problem;
  }
  const work = call.work(parameter, checked.value, id.commandId);
  if (call.verify !== undefined && isGranted(caller.roles, call.permission)) {
    const problem = await call.verify(caller, work);
    if (problem !== undefined) return problem;
  }
  return { caller, work, body: body.value as JsonObject, isRepeatable: given.key !== null };
}

function admissionReply(admitted: Admission, command: Parameters<typeof outcomeReply>[0], deps: GatewayDeps): Reply {
  const { commandId } = command;
  if (admitted.kind === 'decided') {
    const reply = outcomeReply(command, admitted.outcome, deps.secrets);
    if (admitted.replayed) reply.headers['idempotent-replayed'] = 'true';
    return reply;
  }
  if (admitted.kind !== 'pending') return problemReply(admissionProblem(admitted), commandPath(commandId));
  const location = `${commandPath(commandId)}?accepted=${new Date(admitted.acceptedAt).toISOString()}`;
  return success(202, { commandId, state: 'pending' }, { location });
}

function named(reply: Reply, commandId: string): Reply {
  reply.headers['x-command-id'] = commandId;
  return reply;
}
