import { check } from '@retrigger/contract/field-errors.ts';
import { differingFields, type Fingerprint, fingerprint, keyedFingerprint } from '@retrigger/domain/idempotency.ts';
import type { JsonObject } from '@retrigger/domain/json.ts';
import type { Permission } from '@retrigger/domain/permissions.ts';
import { commandIdOf } from '@retrigger/engine/command-id.ts';
import { RECEIPT_LIFE_MS, type Receipt } from '@retrigger/ports/receipt-store.ts';
import type { Context } from 'hono';
import type { z } from 'zod';
import type { Held } from './body-memory.ts';
import type { Caller } from './credentials.ts';
import type { GatewayDeps } from './deps.ts';
import { callerOf, isProblem, named } from './exchange.ts';
import { commandPath } from './outcome-reply.ts';
import { type Problem, problemReply } from './problem.ts';
import { invalidFields, readQuery } from './query.ts';
import { type Reply, success } from './reply.ts';
import { readBody } from './request-body.ts';
import { idempotencyKey } from './request-headers.ts';
import { mayRead } from './routes/task-in-path.ts';

/** What a direct call is about. `now` (epoch ms) is when its key was first used: the same for all twins and repeats. */
export type Direct<B> = { caller: Caller; parameter: string; body: B; commandId: string; now: number };

/**
 * A changing call about no task, which the gateway carries out itself in the document store. Every call is one; it has a receipt like a command.
 * F1: `run` has the same result when it is done twice for one commandId and `now`: twins and repeats meet in what it derives from these. What a key stands for
 * is stored (the claim) before anything is done under it, so two different requests never both run.
 * F2: what `run` returns is kept for repeats, so it holds no secret and no name; `show` fills those in, the same every time.
 * F3: a problem has changed nothing and is not kept. One that `check` finds binds no key; one that `run` finds leaves the claim.
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
  /** What is wrong with it as the world is now; a repeat of what was carried out is not asked again. */
  check?(call: Direct<B>): Problem | undefined;
  run(call: Direct<B>): Promise<JsonObject | { problem: Problem }>;
  show?(tenantId: string, kept: JsonObject, commandId: string): JsonObject | Promise<JsonObject>;
};

type Shown = Pick<DirectCall<unknown>, 'status' | 'show'>;

/** The answer to a direct call, from what was kept of it. */
export const directBody = async ({ show }: Shown, { commandId, tenantId, outcome }: Receipt): Promise<JsonObject> => {
  const kept = outcome.kind === 'accepted' ? outcome.answer : {};
  return show === undefined ? kept : show(tenantId, kept, commandId);
};

/** Reads, checks, carries out and answers; a repeat under its key gets the first answer. */
export async function directReply<B>(
  c: Context,
  call: DirectCall<B>,
  deps: GatewayDeps,
  id: { commandId: string },
  held: Held,
): Promise<Reply> {
  id.commandId = deps.freshId();
  const answered = await carryOut(c, call, deps, id, held);
  return named(isProblem(answered) ? problemReply(answered, commandPath(id.commandId)) : answered, id.commandId);
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
  const given = idempotencyKey(c);
  if (given.kind === 'problem') return given.problem;
  const parameter = call.parameter === undefined ? '' : (c.req.param(call.parameter.name) ?? '');
  const path = call.parameter === undefined ? call.path : call.path.replace(`{${call.parameter.name}}`, parameter);
  if (given.key !== null) id.commandId = commandIdOf({ door: 'http', ...caller }, { method: call.method, path }, given.key, deps.freshId);
  const query = readQuery(c.req.url, []);
  const wrong =
    mayRead(caller, call.permission) ?? call.parameter?.check(parameter) ?? (query.kind === 'problem' ? query.problem : undefined);
  if (wrong !== undefined) return wrong;
  const body = await readBody(c, held, caller.tenantId);
  if (body.kind === 'problem') return body.problem;
  const checked = check(call.schema, body.value);
  if (checked.kind === 'invalid') return invalidFields(checked.errors);
  const asked: Asking<B> = {
    ...{ call, caller, parameter, body: checked.value, commandId: id.commandId, isRepeatable: given.key !== null },
    ...{ fingerprint: keyed(fingerprint(body.value as JsonObject), caller, deps), mark: deps.freshId() },
  };
  return once(asked, deps);
}

/** These calls are about people: their names could be guessed from plain digests. */
const keyed = (plain: Fingerprint, { tenantId }: Caller, { secrets }: GatewayDeps): Fingerprint =>
  keyedFingerprint(plain, secrets.derive('fingerprint', tenantId, 'people', 1));

/** A call that was read and found valid. `mark` tells its receipts from those of its twins. */
type Asking<B> = Omit<Direct<B>, 'now'> & { call: DirectCall<B>; fingerprint: Fingerprint; isRepeatable: boolean; mark: string };

/** Carries a call out, unless that has been done under its key before. */
async function once<B>(asked: Asking<B>, deps: GatewayDeps): Promise<Reply | Problem> {
  const { call, commandId, isRepeatable } = asked;
  const now = deps.clock.now();
  const before = isRepeatable ? (await deps.receipts.load([commandId])).get(commandId) : undefined;
  if (before !== undefined && now - before.position.at < RECEIPT_LIFE_MS) return replay(asked, before);
  const wrong = call.check?.({ ...asked, now });
  if (wrong !== undefined) return wrong;
  const claim = isRepeatable ? await firstOf(deps, receiptOf(asked, claimName(commandId), {}, now)) : undefined; // F1
  const differing = claim === undefined ? [] : differingFields(claim.fingerprint, asked.fingerprint);
  if (differing.length > 0) return reused(differing);
  const made = await call.run({ ...asked, now: claim?.position.at ?? now });
  if ('problem' in made) return made.problem as Problem; // F3
  const mine = receiptOf(asked, commandId, made, now);
  const first = await firstOf(deps, mine);
  return first.key === mine.key ? answer(call, first) : replay(asked, first);
}

const claimName = (commandId: string): string => `${commandId}/claim`;

const receiptOf = <B>({ call: { type }, caller, fingerprint, mark }: Asking<B>, name: string, made: JsonObject, at: number): Receipt => ({
  ...{ commandId: name, tenantId: caller.tenantId, actorId: caller.userId, key: `${caller.tenantId}/${type}/${mark}`, type },
  ...{ sequence: null, fingerprint, outcome: { kind: 'accepted', answer: made }, position: { partition: 0, offset: 0, at } },
});

/** Stores a receipt and reads the one that stands there: a twin's may have been first. */
async function firstOf({ receipts }: Pick<GatewayDeps, 'receipts'>, receipt: Receipt): Promise<Receipt> {
  await receipts.put([receipt]);
  return (await receipts.load([receipt.commandId])).get(receipt.commandId) ?? receipt;
}

async function replay<B>({ call, fingerprint }: Asking<B>, receipt: Receipt): Promise<Reply | Problem> {
  const fields = differingFields(receipt.fingerprint, fingerprint);
  if (fields.length > 0) return reused(fields);
  const reply = await answer(call, receipt);
  reply.headers['idempotent-replayed'] = 'true';
  return reply;
}

const reused = (fields: string[]): Problem => ({
  code: 'idempotency_key_reused',
  detail: `This idempotency key was used for another request; these fields differ: ${fields.join(', ')}`,
  more: { fields },
});

const answer = async (call: Shown, receipt: Receipt): Promise<Reply> =>
  call.status === 204 ? { status: 204, body: '', headers: {} } : success(call.status, await directBody(call, receipt));
