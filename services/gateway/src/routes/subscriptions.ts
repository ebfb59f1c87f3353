import {
  type CreateSubscription,
  createdSubscription,
  createSubscription,
  noBody,
  subscriptionList,
  subscriptionTest,
} from '@retrigger/contract/subscription-bodies.ts';
import { literalTargetRefusal } from '@retrigger/delivery/private-address.ts';
import { secretText } from '@retrigger/delivery/standard-webhooks.ts';
import { derive, ID_PATTERN } from '@retrigger/domain/identifiers.ts';
import { formatInstant } from '@retrigger/domain/instant.ts';
import type { JsonObject } from '@retrigger/domain/json.ts';
import type { Subscription } from '@retrigger/domain/subscription.ts';
import { ASKED_DELIVERIES, deliveryDocument } from '@retrigger/engine/deliveries.ts';
import { MOST_SUBSCRIPTIONS, subscriptionsIn } from '@retrigger/engine/subscriptions.ts';
import { z } from 'zod';
import type { Api } from '../api.ts';
import type { Direct } from '../direct-call.ts';
import { invalid, type Problem, problemReply } from '../problem.ts';
import { readQuery } from '../query.ts';
import { success } from '../reply.ts';
import { mayRead } from './task-in-path.ts';

const MANAGE = 'subscription:manage' as const;
const FIRST_GENERATION = 1;

const idProblem = (text: string): Problem | undefined => (ID_PATTERN.test(text) ? undefined : invalid('id', 'is no id of a subscription'));
const inPath = { name: 'id', check: idProblem };
const parameters = z.object({ id: z.string() });

const noSuch = (id: string): { problem: Problem } => ({ problem: { code: 'not_found', detail: `There is no subscription ${id}` } });

/** Who hears of which events. A subscription belongs to its tenant; operators and admins manage them. */
export function subscriptionRoutes(api: Api): void {
  const { deps } = api;
  const subscriptions = subscriptionsIn(deps.documents);

  async function make({ caller, body, commandId, now }: Direct<CreateSubscription>): Promise<JsonObject | { problem: Problem }> {
    const { tenantId } = caller;
    const { channel, url, to, events = null, tasks = null, criticalOnly = false } = body;
    const id = `sub_${derive('subscription', tenantId, commandId)}`;
    const made: Subscription = {
      ...{ tenantId, id, channel, address: url ?? to ?? '', events, tasks, criticalOnly },
      ...{ createdAt: formatInstant(now), generation: FIRST_GENERATION, paused: null, lastTest: null },
    };
    const others = await subscriptions.of(tenantId);
    if (others.length >= MOST_SUBSCRIPTIONS && !others.some((one) => one.id === id))
      return {
        problem: { code: 'invalid_state', detail: `The tenant has ${MOST_SUBSCRIPTIONS} subscriptions, the most that it may have` },
      };
    await subscriptions.make(made);
    return described(made);
  }

  api.direct(
    {
      ...{ method: 'POST', path: '/api/v1/subscriptions', type: 'CreateSubscription', permission: MANAGE, status: 201 },
      schema: createSubscription,
      check: ({ body: { url } }) => {
        const refusal = url === undefined ? undefined : literalTargetRefusal(url, deps.config.allowPrivateTargets);
        return refusal === undefined ? undefined : invalid('url', refusal);
      },
      run: make,
      show: (tenantId, kept) =>
        kept.channel === 'webhook'
          ? { ...kept, secret: secretText(deps.secrets.derive('subscription', tenantId, String(kept.id), FIRST_GENERATION)) }
          : kept,
    },
    {
      summary: 'Subscribe to events',
      description:
        'By webhook (signed as in Standard Webhooks, `{type, timestamp, data: <event>}`), Slack-compatible webhook (`{text, blocks}`) or mail. Each event that matches is told at least once; `webhook-id` is the eventId. The events of one task are told in order.',
      ...{ tag: 'Notifications', isDirect: true },
      body: createSubscription,
      success: { 201: { description: 'The subscription; the secret of a webhook is shown this once', data: createdSubscription } },
      problems: ['invalid_state'],
    },
  );
  api.read(
    '/api/v1/subscriptions',
    {
      summary: 'The subscriptions of the tenant',
      tag: 'Notifications',
      success: { 200: { description: 'All of them, without secrets', data: subscriptionList } },
      problems: ['invalid_request', 'forbidden'],
    },
    async (caller, c) => {
      const query = readQuery(c.req.url, []);
      const wrong = mayRead(caller, MANAGE) ?? (query.kind === 'problem' ? query.problem : undefined);
      if (wrong !== undefined) return problemReply(wrong, c.req.path);
      return success(200, { subscriptions: (await subscriptions.of(caller.tenantId)).map(shown) });
    },
  );
  api.direct(
    {
      ...{ method: 'DELETE', path: '/api/v1/subscriptions/{id}', type: 'DeleteSubscription', permission: MANAGE, status: 204 },
      ...{ schema: noBody, parameter: inPath },
      run: async ({ caller: { tenantId }, parameter: id, commandId, now }) =>
        (await subscriptions.remove(tenantId, id, { commandId, now })) ? {} : noSuch(id),
    },
    {
      summary: 'End a subscription',
      description: 'What was not delivered yet is not delivered any more.',
      ...{ tag: 'Notifications', isDirect: true, parameters },
      success: { 204: { description: 'It is gone' } },
      problems: ['not_found'],
    },
  );
  api.direct(
    {
      ...{ method: 'POST', path: '/api/v1/subscriptions/{id}/test', type: 'TestSubscription', permission: MANAGE, status: 202 },
      ...{ schema: noBody, parameter: inPath },
      async run({ caller: { tenantId }, parameter: id, commandId, now }) {
        if ((await subscriptions.read(tenantId, id)) === undefined) return noSuch(id);
        const testId = `test_${derive('test', tenantId, id, commandId)}`;
        await deps.documents.write(
          deliveryDocument({
            ...{ tenantId, subscriptionId: id, id: testId, line: testId, event: null, source: { partition: 0, offset: 0, at: now } },
            ...{ attempts: 0, dueAt: now, storedAt: now, kind: ASKED_DELIVERIES, version: 1 },
          }),
        );
        return { id, testId };
      },
    },
    {
      summary: 'Send a test',
      description:
        'One message, whatever the subscription asks for; how it ended is in `lastTest`. One that arrives resumes a subscription that was paused.',
      ...{ tag: 'Notifications', isDirect: true, parameters },
      body: noBody,
      success: { 202: { description: 'It is on its way', data: subscriptionTest } },
      problems: ['not_found'],
    },
  );
}

/** What was asked for. */
const described = ({ id, channel, address, events, tasks, criticalOnly, createdAt }: Subscription): JsonObject => ({
  ...{ id, channel, events, tasks, criticalOnly, createdAt },
  ...(channel === 'email' ? { to: address } : { url: address }),
});

/** As everybody who manages it sees it. */
function shown(one: Subscription): JsonObject {
  const { paused, lastTest } = one;
  return {
    ...described(one),
    state: paused === null ? 'active' : 'paused',
    ...(paused === null ? {} : { paused }),
    ...(lastTest === null
      ? {}
      : {
          lastTest: {
            at: lastTest.at,
            delivered: lastTest.reason === null,
            ...(lastTest.reason === null ? {} : { reason: lastTest.reason }),
          },
        }),
  };
}
