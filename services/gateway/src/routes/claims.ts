import { claimExecutions } from '@retrigger/contract/execution-bodies.ts';
import { claimed } from '@retrigger/contract/task-schema.ts';
import { parseDuration } from '@retrigger/domain/duration.ts';
import type { Context } from 'hono';
import { z } from 'zod';
import type { Api } from '../api.ts';
import type { Held } from '../body-memory.ts';
import { leavingOf } from '../changing-call.ts';
import type { ClaimOutcome, Claims } from '../claims.ts';
import { callerOf, isProblem, named } from '../exchange.ts';
import { openedExecutions } from '../opened-executions.ts';
import { commandPath } from '../outcome-reply.ts';
import { type Problem, problemReply } from '../problem.ts';
import { readRequest } from '../read-call.ts';
import { jsonReply, nothing, type Reply, success } from '../reply.ts';
import { traceparentOf, waitOf } from '../request-headers.ts';
import { mayRead } from './task-in-path.ts';

const CALL = { method: 'POST', path: '/api/v1/executions/claim', schema: claimExecutions } as const;
/** A try is not given up before this, whatever the caller prefers: what it comes to would be nobody's. */
const LEAST_PATIENCE_MS = 2_000;

export function claimRoutes(api: Api, claims: Claims): void {
  const { deps } = api;
  api.handle(
    CALL.method,
    CALL.path,
    {
      summary: 'Claim executions of tasks that have no target',
      description:
        'Whoever is first has an execution; from then on it is silent for no longer than `heartbeatTimeout`, or the attempt fails. Under the same idempotency key the same executions are given again. With `wait` the call is open until there is one or the time is up; `Prefer: wait=N` is for how long the decision of a worker may take then.',
      tag: 'Executions',
      body: claimExecutions,
      success: {
        200: { description: 'An execution; with `max` a list', data: z.union([claimed, z.array(claimed)]) },
        204: { description: 'There is nothing to claim' },
      },
    },
    (c, requestId, id, held) => {
      const incoming = traceparentOf(c.req.header('traceparent'));
      return deps.observer.span(`http POST ${CALL.path}`, incoming, { requestId }, (traceparent) =>
        reply(c, requestId, id, held, traceparent),
      );
    },
  );

  async function reply(c: Context, requestId: string, id: { commandId: string }, held: Held, traceparent: string): Promise<Reply> {
    const read = await readRequest(c, CALL, deps, id, held);
    const refuse = (problem: Problem) => named(problemReply(problem, commandPath(id.commandId)), id.commandId);
    if (isProblem(read)) return refuse(read);
    const forbidden = mayRead(read.caller, 'execution:claim');
    if (forbidden !== undefined) return refuse(forbidden);
    const { caller, body, fingerprint, isRepeatable } = read;
    const isList = body.max !== undefined;
    const outcome = await claims.claim({
      ...{ ...id, caller, fingerprint, isRepeatable, traceparent, types: body.types, most: body.max ?? 1 },
      correlationId: requestId,
      waitMs: body.wait === undefined ? 0 : (parseDuration(body.wait) ?? 0),
      patienceMs: Math.max(LEAST_PATIENCE_MS, waitOf(c.req.header('prefer'))),
      gone: goneOf(c),
      async refusal() {
        const now = await callerOf(c, deps);
        return isProblem(now) ? now : undefined;
      },
    });
    if (outcome.kind !== 'claimed') return named(replyOf(outcome, id.commandId, isList), id.commandId);
    const executions = await openedExecutions({ caller, fingerprint, correlationId: requestId }, outcome.executions, deps, api.admission);
    const opened: ClaimOutcome = executions.length === 0 ? { kind: 'nothing' } : { ...outcome, executions };
    return named(replyOf(opened, id.commandId, isList), id.commandId);
  }
}

/** The caller hung up, or the server stops. */
function goneOf(c: Context): AbortSignal {
  const leaving = leavingOf(c);
  return leaving === undefined ? c.req.raw.signal : AbortSignal.any([c.req.raw.signal, leaving]);
}

function replyOf(outcome: ClaimOutcome, commandId: string, isList: boolean): Reply {
  switch (outcome.kind) {
    case 'claimed': {
      const [first = {}] = outcome.executions;
      const headers: { [name: string]: string } = outcome.replayed ? { 'idempotent-replayed': 'true' } : {};
      return jsonReply(200, { status: 200, data: isList ? outcome.executions : first }, headers);
    }
    case 'nothing':
      return nothing();
    case 'pending': {
      const location = `${commandPath(commandId)}?accepted=${new Date(outcome.acceptedAt).toISOString()}`;
      return success(202, { commandId, state: 'pending' }, { location });
    }
    case 'problem':
      return problemReply(outcome.problem, commandPath(commandId));
  }
}
