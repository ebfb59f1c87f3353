import { check } from '@retrigger/contract/field-errors.ts';
import { differingFields, fingerprint } from '@retrigger/domain/idempotency.ts';
import type { JsonObject } from '@retrigger/domain/json.ts';
import type { Permission } from '@retrigger/domain/permissions.ts';
import { commandIdOf } from '@retrigger/engine/admit-command.ts';
import { RECEIPT_LIFE_MS, type Receipt } from '@retrigger/ports/receipt-store.ts';
import type { Context } from 'hono';
import type { z } from 'zod';
import type { Held } from './body-memory.ts';
import type { Caller } from './credentials.ts';
import type { GatewayDeps } from './deps.ts';
import { callerOf, isProblem } from './exchange.ts';
import { commandPath } from './outcome-reply.ts';
import { type Problem, problemReply } from './problem.ts';
import { invalidFields, readQuery } from './query.ts';
import { type Reply, success } from './reply.ts';
import { readBody } from './request-body.ts';
import { idempotencyKey } from './request-headers.ts';
import { mayRead } from './routes/task-in-path.ts';

/** What a direct call is about. `now` is in epoch milliseconds. */
export type Direct<B> = { caller: Caller; parameter: string; body: B; commandId: string; now: number };

/**
 * A changing call about no task, which the gateway carries out itself in the document store. Every call is one; it has a receipt like a command.
 * F1: `run` has the same result when it is done twice under one commandId: twins and repeats meet in what it derives from that. What a key stands for is stored
 * before anything is done under it, so two different requests never both run.
 * F2: what `run` returns is kept for repeats, so it holds no secret; `show` fills those in, the same every time.
 */
export type DirectCall<B> = {
  method: 'POST' | 'PUT' | 'DELETE';
  path: string;
  /** Its receipts' type. */
  type: string;
  permission: Permission;
  schema: z.ZodType<B>;
  /** Of success. */
  status: 200 | 201 | 202 | 204;
  parameter?: { name: string; check(text: string): Problem | undefined };
  run(call: Direct<B>): Promise<JsonObject | { problem: Problem }>;
  show?(tenantId: string, kept: JsonObject, commandId: string): JsonObject;
};

type Shown = Pick<DirectCall<unknown>, 'status' | 'show'>;

/** The answer to a direct call, from what was kept of it. */
export const directBody = ({ show }: Shown, { commandId, tenantId, outcome }: Receipt): JsonObject => {
  const kept = outcome.kind === 'accepted' ? outcome.answer : {};
  return show === undefined ? kept : show(tenantId, kept, commandId);
};

/** Reads, checks, carries out and answers; a repeat under its key gets the first answer. */
export async function directReply<B>(c: Context, call: DirectCall<B>, deps: GatewayDeps, held: Held): Promise<Reply> {
  const id = { commandId: deps.freshId() };
  const answered = await carryOut(c, call, deps, id, held);
  const reply = isProblem(answered) ? problemReply(answered, commandPath(id.commandId)) : answered;
  reply.headers['x-command-id'] = id.commandId;
  return reply;
}

async function carryOut<B>(
  c: Context,
  call: DirectCall<B>,
  deps: GatewayDeps,
  id: { commandId: string },
  held: Held,
): Promise<Reply | Problem> {
  const caller = await callerOf(c, deps);
  if (isProblem(caller)) return caller;
  const given = idempotencyKey(c.req.header('idempotency-key'), c.req.header('x-idempotency-key'));
  if (given.kind === 'problem') return given.problem;
  const parameter = call.parameter === undefined ? '' : (c.req.param(call.parameter.name) ?? '');
  const path = call.parameter === undefined ? call.path : call.path.replace(`{${call.parameter.name}}`, parameter);
  if (given.key !== null) id.commandId = commandIdOf({ door: 'http', ...caller }, { method: call.method, path }, given.key, deps.freshId);
  const query = readQuery(c.req.url, []);
  const wrong =
    mayRead(caller, call.permission) ?? call.parameter?.check(parameter) ?? (query.kind === 'problem' ? query.problem : undefined);
  if (wrong !== undefined) return wrong;
  const body = await readBody(c, held);
  if (body.kind === 'problem') return body.problem;
  const checked = check(call.schema, body.value);
  if (checked.kind === 'invalid') return invalidFields(checked.errors);
  const { commandId } = id;
  const now = deps.clock.now();
  const asked = fingerprint(body.value as JsonObject);
  const before = given.key === null ? undefined : (await deps.receipts.load([commandId])).get(commandId);
  if (before !== undefined && now - before.position.at < RECEIPT_LIFE_MS) return replay(call, before, asked);
  const receiptOf = (name: string, answer: JsonObject): Receipt => ({
    ...{ commandId: name, tenantId: caller.tenantId, actorId: caller.userId, key: `${caller.tenantId}/${call.type}`, type: call.type },
    ...{ sequence: null, fingerprint: asked, outcome: { kind: 'accepted', answer }, position: { partition: 0, offset: 0, at: now } },
  });
  if (given.key !== null) {
    const claim = await firstOf(deps, receiptOf(`${commandId}/claim`, {})); // F1
    const fields = differingFields(claim.fingerprint, asked);
    if (fields.length > 0) return reused(fields);
  }
  const made = await call.run({ caller, parameter, body: checked.value, commandId, now });
  if ('problem' in made) return made.problem as Problem;
  const first = await firstOf(deps, receiptOf(commandId, made));
  return first.position.at === now ? answer(call, first) : replay(call, first, asked);
}

/** Stores a receipt and reads the one that stands there: a twin's may have been first. */
async function firstOf({ receipts }: Pick<GatewayDeps, 'receipts'>, receipt: Receipt): Promise<Receipt> {
  await receipts.put([receipt]);
  return (await receipts.load([receipt.commandId])).get(receipt.commandId) ?? receipt;
}

function replay(call: Shown, receipt: Receipt, asked: Receipt['fingerprint']): Reply | Problem {
  const fields = differingFields(receipt.fingerprint, asked);
  if (fields.length > 0) return reused(fields);
  const reply = answer(call, receipt);
  reply.headers['idempotent-replayed'] = 'true';
  return reply;
}

const reused = (fields: string[]): Problem => ({
  code: 'idempotency_key_reused',
  detail: `This idempotency key was used for another request; these fields differ: ${fields.join(', ')}`,
  more: { fields },
});

const answer = (call: Shown, receipt: Receipt): Reply =>
  call.status === 204 ? { status: 204, body: '', headers: {} } : success(call.status, directBody(call, receipt));
