import { type Fingerprint, fingerprint, keyedFingerprint } from '@retrigger/domain/idempotency.ts';
import type { JsonObject } from '@retrigger/domain/json.ts';
import { commandIdOf } from '@retrigger/engine/command-id.ts';
import type { Context } from 'hono';
import type { Held } from './body-memory.ts';
import { type CommandCall, validBody, type Work, workOf } from './command-table.ts';
import type { Caller } from './credentials.ts';
import type { GatewayDeps } from './deps.ts';
import { callerOf, isProblem } from './exchange.ts';
import { invalid, type Problem } from './problem.ts';
import { readQuery } from './query.ts';
import { readBody } from './request-body.ts';
import { idempotencyKey } from './request-headers.ts';

/** What is read of a changing call, and how. */
export type ReadableCall<B> = Pick<CommandCall<B>, 'schema' | 'namesPeople'> & {
  method: 'POST' | 'PUT' | 'PATCH';
  /** With its parameter in braces, as OpenAPI writes it. */
  path: string;
  /** The path's parameter when it is one, else why not. Calls without a parameter have none. */
  parameter?: { name: string; check(text: string): Problem | undefined };
  /** `?dryRun=true` is possible. */
  hasDryRun?: true;
};

/** A changing call: its command, and what is particular to HTTP. */
export type ChangingCall<B> = ReadableCall<B> & Omit<CommandCall<B>, 'about'>;

/** A request that was read and found valid. `isRepeatable`: it came with an idempotency key. */
export type ValidRequest<B> = {
  caller: Caller;
  parameter: string;
  body: B;
  fingerprint: Fingerprint;
  isRepeatable: boolean;
  isDryRun: boolean;
};

/** The command that a valid request asks for. */
export type Asked = Omit<ValidRequest<unknown>, 'parameter' | 'body'> & { work: Work; cost: number };

/** Reads a changing call that is one command. */
export async function readCall<B>(
  c: Context,
  call: ChangingCall<B>,
  deps: GatewayDeps,
  id: { commandId: string },
  held: Held,
): Promise<Asked | Problem> {
  const read = await readRequest(c, call, deps, id, held);
  if (isProblem(read)) return read;
  const { parameter, body, ...asked } = read;
  const found = await workOf(call, parameter, body, { commandId: id.commandId, caller: asked.caller, now: deps.clock.now() });
  return isProblem(found) ? found : { ...asked, ...found };
}

/**
 * Reads a changing call: credentials, idempotency key, parameter, query and body, in this order, and stops at the first that is wrong.
 * `id` is set as soon as the command has one: from the key when there is a usable one, else fresh. A dry run's is fresh always: nothing is kept under it.
 */
export async function readRequest<B>(
  c: Context,
  call: ReadableCall<B>,
  deps: GatewayDeps,
  id: { commandId: string },
  held: Held,
): Promise<ValidRequest<B> | Problem> {
  id.commandId = deps.freshId();
  const caller = await callerOf(c, deps);
  if (isProblem(caller)) return caller;
  const given = idempotencyKey(c);
  if (given.kind === 'problem') return given.problem;
  const parameter = call.parameter === undefined ? '' : (c.req.param(call.parameter.name) ?? '');
  const wrong = call.parameter?.check(parameter);
  if (wrong !== undefined) return wrong;
  const query = readQuery(c.req.url, call.hasDryRun ? ['dryRun'] : []);
  if (query.kind === 'problem') return query.problem;
  const { dryRun = 'false' } = query.values;
  if (dryRun !== 'true' && dryRun !== 'false') return invalid('dryRun', 'must be true or false');
  const isDryRun = dryRun === 'true';
  if (given.key !== null && !isDryRun) {
    const path = call.parameter === undefined ? call.path : call.path.replace(`{${call.parameter.name}}`, parameter);
    id.commandId = commandIdOf({ door: 'http', ...caller }, { method: call.method, path }, given.key, deps.freshId);
  }
  const body = await readBody(c, held, caller.tenantId);
  if (body.kind === 'problem') return body.problem;
  const checked = validBody(call.schema, body.value);
  if (isProblem(checked)) return checked;
  const plain = fingerprint(body.value as JsonObject, query.values);
  return {
    caller,
    parameter,
    body: checked.body,
    fingerprint: call.namesPeople ? keyedFingerprint(plain, deps.secrets.derive('fingerprint', caller.tenantId, 'people', 1)) : plain,
    isRepeatable: given.key !== null,
    isDryRun,
  };
}
