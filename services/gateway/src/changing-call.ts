import type { Command } from '@retrigger/domain/command.ts';
import { isPermitted } from '@retrigger/domain/permissions.ts';
import type { Admission, CommandAdmission } from '@retrigger/engine/admit-command.ts';
import type { Context } from 'hono';
import type { Held } from './body-memory.ts';
import type { GatewayDeps } from './deps.ts';
import { dryRunReply } from './dry-run-reply.ts';
import { isProblem, named } from './exchange.ts';
import { commandPath, outcomeReply } from './outcome-reply.ts';
import { admissionProblem, type Problem, problemReply } from './problem.ts';
import { type Asked, type ChangingCall, readCall } from './read-call.ts';
import { type Reply, success } from './reply.ts';
import { traceparentOf, waitOf } from './request-headers.ts';

/** The server that a request came through may say that it must go; see serve.ts. */
export const leavingOf = (c: Context): AbortSignal | undefined => (c.env as { leaving?: AbortSignal } | undefined)?.leaving;

/** The door for changing calls. Every answer names the command, also one that was refused before it became one; `id` is set for the answer to a throw. */
export async function changingReply<B>(
  c: Context,
  call: ChangingCall<B>,
  deps: GatewayDeps,
  admission: CommandAdmission<Problem>,
  requestId: string,
  id: { commandId: string },
  held: Held,
  accepted: (command: Command) => void,
): Promise<Reply> {
  const incoming = traceparentOf(c.req.header('traceparent'));
  return deps.observer.span(`http ${call.method} ${call.path}`, incoming, { requestId }, async (traceparent) => {
    const asked = await readCall(c, call, deps, id, held);
    if (isProblem(asked)) return named(problemReply(asked, commandPath(id.commandId)), id.commandId);
    const command = commandOf(asked, call.actor, { ...id, requestId, traceparent });
    const { caller, work, cost, isRepeatable, isDryRun } = asked;
    const check = async () => (isPermitted(command) ? call.check?.(caller, work, deps) : undefined);
    if (isDryRun) return named(await dryRunReply(await deps.privacy.sealing.seal(command), check, deps, c.req.path), id.commandId);
    const leaving = leavingOf(c);
    const admitted = await admission.admit({
      ...{ command, isRepeatable, cost, check },
      waitMs: waitOf(c.req.header('prefer')),
      ...(leaving === undefined ? {} : { leaving }),
    });
    if (admitted.kind === 'decided' && admitted.outcome.kind === 'accepted') accepted(command);
    return named(await admissionReply(admitted, command, deps), id.commandId);
  });
}

function commandOf(
  { caller, work, fingerprint }: Asked,
  actor: 'user' | 'executor',
  { commandId, requestId, traceparent }: { commandId: string; requestId: string; traceparent: string },
): Command & Pick<Asked, 'fingerprint'> {
  return {
    commandId,
    tenantId: caller.tenantId,
    actor: { id: caller.userId, type: actor },
    roles: caller.roles,
    correlationId: requestId,
    ...(traceparent === '' ? {} : { traceparent }),
    fingerprint,
    ...work,
  };
}

async function admissionReply(admitted: Admission<Problem>, command: Command, deps: GatewayDeps): Promise<Reply> {
  const { commandId } = command;
  if (admitted.kind === 'decided') {
    const reply = await outcomeReply(command, admitted.outcome, deps);
    if (admitted.replayed) reply.headers['idempotent-replayed'] = 'true';
    return reply;
  }
  if (admitted.kind !== 'pending') return problemReply(admissionProblem(admitted), commandPath(commandId));
  const location = `${commandPath(commandId)}?accepted=${new Date(admitted.acceptedAt).toISOString()}`;
  return success(202, { commandId, state: 'pending' }, { location });
}
