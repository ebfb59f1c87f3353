import { commandState } from '@retrigger/contract/task-schema.ts';
import { ID_PATTERN } from '@retrigger/domain/identifiers.ts';
import { parseInstant } from '@retrigger/domain/instant.ts';
import type { JsonObject } from '@retrigger/domain/json.ts';
import { KnownReceipts } from '@retrigger/engine/known-receipts.ts';
import { RECEIPT_LIFE_MS, type Receipt, unboundReceiptId } from '@retrigger/ports/receipt-store.ts';
import { z } from 'zod';
import type { Api } from '../api.ts';
import { bulkProgress } from '../bulk-progress.ts';
import { claimedUnder, isList, slotIds } from '../claimed-under.ts';
import type { Caller } from '../credentials.ts';
import { directBody } from '../direct-call.ts';
import { kafkaCommandId } from '../kafka-command.ts';
import { outcomeBody } from '../outcome-reply.ts';
import { invalid, problemReply } from '../problem.ts';
import { readQuery } from '../query.ts';
import { success } from '../reply.ts';

/** How far the clocks of two gateways may differ. */
const CLOCK_SKEW_MS = 60_000;

/** Only whoever sent a command may ask for it; to anybody else it looks like one that nobody sent. */
const isTheirs = (receipt: Receipt | undefined, { tenantId, userId }: Caller): receipt is Receipt =>
  receipt !== undefined && receipt.tenantId === tenantId && receipt.actorId === userId;

export function commandRoutes(api: Api): void {
  const { deps } = api;
  const receipts = new KnownReceipts(deps);
  api.read(
    '/api/v1/commands/{commandId}',
    {
      summary: 'What came of a command',
      description:
        '`outcome` is the answer that the caller would have had. Without one it is pending while `accepted` is under 24 h ago. A command that the caller has published on Kafka is found by the commandId that they gave it, too.',
      tag: 'Commands',
      parameters: z.object({ commandId: z.string() }),
      query: z.object({ accepted: z.iso.datetime().optional() }),
      success: { 200: { description: 'The state of the command', data: commandState } },
      problems: ['invalid_request', 'not_found'],
    },
    async (caller, c) => {
      const commandId = c.req.param('commandId') ?? '';
      const query = readQuery(c.req.url, ['accepted']);
      if (query.kind === 'problem') return problemReply(query.problem, c.req.path);
      const { accepted } = query.values;
      const acceptedAt = accepted === undefined ? undefined : parseInstant(accepted);
      if (accepted !== undefined && acceptedAt === undefined)
        return problemReply(invalid('accepted', 'must be an instant such as 2026-01-31T12:00:00.000Z'), c.req.path);
      const now = deps.clock.now();
      const receipt = await receiptOf(commandId, caller);
      if (receipt !== undefined) return success(200, await stateOf(commandId, receipt));
      const sinceMs = acceptedAt === undefined ? Number.POSITIVE_INFINITY : now - acceptedAt;
      const progress =
        (await bulkProgress(deps, caller, commandId)) ?? (await bulkProgress(deps, caller, kafkaCommandId(caller, commandId)));
      if (progress !== undefined) return success(200, { commandId, state: 'pending', progress });
      return sinceMs > -CLOCK_SKEW_MS && sinceMs < RECEIPT_LIFE_MS
        ? success(200, { commandId, state: 'pending' })
        : problemReply({ code: 'not_found', detail: `There is no command ${commandId}` }, c.req.path);
    },
  );

  /** Under the id of the command, or under the one that the caller's own id stands for; an outcome that binds repeats before one that doesn't. */
  async function receiptOf(commandId: string, caller: Caller): Promise<Receipt | undefined> {
    const published = kafkaCommandId(caller, commandId);
    if (!ID_PATTERN.test(commandId)) return undefined; // no other name is a command's
    const names = [commandId, published, unboundReceiptId(commandId), unboundReceiptId(published)];
    const found = await receipts.visible(names);
    return names.map((name) => found.get(name)).find((one) => isTheirs(one, caller)) ?? (await claimOf(commandId, caller));
  }

  /** A claim that has not got what it asked for first may have got others (M2). */
  async function claimOf(commandId: string, caller: Caller): Promise<Receipt | undefined> {
    const found = await receipts.visible(slotIds(commandId));
    return [...found.values()].find((one) => one.type === 'ClaimExecution' && isTheirs(one, caller));
  }

  async function stateOf(commandId: string, receipt: Receipt): Promise<JsonObject> {
    const { type, tenantId, key, outcome } = receipt;
    const direct = api.directCalls.get(type);
    if (direct !== undefined) {
      const { status } = direct;
      const body = status === 204 ? {} : { body: { status, data: await directBody(direct, receipt) } };
      return { commandId, state: outcome.kind, outcome: { status, ...body } };
    }
    const taskId = key.slice(tenantId.length + 1);
    if (type === 'ClaimExecution' && isList(receipt)) {
      const { executions = [] } = (await claimedUnder(slotIds(commandId), deps)) ?? {};
      return {
        commandId,
        state: outcome.kind,
        outcome: { status: 200, body: { status: 200, data: await deps.privacy.disclosure.tasks(tenantId, executions) } },
      };
    }
    return { commandId, state: outcome.kind, outcome: await outcomeBody({ commandId, type, tenantId, taskId }, outcome, deps) };
  }
}
