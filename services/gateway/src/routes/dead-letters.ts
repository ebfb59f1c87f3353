import { closedDeadLetter, dropDeadLetter, deadLetterPage as pageSchema } from '@retrigger/contract/dead-letter-bodies.ts';

import { noBody } from '@retrigger/contract/subscription-bodies.ts';
import { derive, ID_PATTERN } from '@retrigger/domain/identifiers.ts';
import { formatInstant } from '@retrigger/domain/instant.ts';
import type { JsonObject } from '@retrigger/domain/json.ts';
import { type Closing, type DeadLetter, deadLettersIn } from '@retrigger/engine/dead-letter-store.ts';
import { ASKED_DELIVERIES, deliveryDocument } from '@retrigger/engine/deliveries.ts';
import type { Name } from '@retrigger/engine/key-ring.ts';
import { subscriptionsIn } from '@retrigger/engine/subscriptions.ts';
import { TOPICS } from '@retrigger/ports/log.ts';
import { z } from 'zod';
import type { Api } from '../api.ts';
import type { Caller } from '../credentials.ts';
import { makeCursor, NOT_ITS_CURSOR, readCursor } from '../cursor.ts';
import { deadLetterPage, visibleTenants } from '../dead-letter-page.ts';
import type { Direct } from '../direct-call.ts';
import { PAGE_SIZES, readPageSize } from '../event-query.ts';
import { invalid, type Problem, problemReply } from '../problem.ts';
import { readQuery } from '../query.ts';
import { type Reply, success } from '../reply.ts';
import { mayRead } from './task-in-path.ts';

const ADMINISTER = 'tenant:administer' as const;
const inPath = { name: 'id', check: (text: string) => (ID_PATTERN.test(text) ? undefined : invalid('id', 'is no id of a dead letter')) };
const parameters = z.object({ id: z.string() });
const listQuery = z.object({
  state: z.enum(['open', 'closed']).optional().meta({ description: '`open` (the default): nothing was done about it yet' }),
  cursor: z.string().optional(),
  pageSize: z.int().min(1).max(1_000).optional().meta({ description: '100 when absent' }),
});

/** What was given up, and what an admin does about it. */
export function deadLetterRoutes(api: Api): void {
  const { deps } = api;
  const store = deadLettersIn(deps.documents);
  const subscriptions = subscriptionsIn(deps.documents);

  async function page(caller: Caller, url: string): Promise<Reply | Problem> {
    const query = readQuery(url, ['state', 'cursor', 'pageSize']);
    if (query.kind === 'problem') return query.problem;
    const { state = 'open', cursor = '', pageSize = '100' } = query.values;
    const size = readPageSize(pageSize);
    if (state !== 'open' && state !== 'closed') return invalid('state', 'must be open or closed');
    if (size === undefined) return invalid('pageSize', PAGE_SIZES);
    const question = `dead-letters\n${state}`;
    const place = cursor === '' ? null : readCursor(deps.secrets, caller.tenantId, question, cursor);
    if (place === undefined) return invalid('cursor', NOT_ITS_CURSOR);
    const { letters, next } = await deadLetterPage(store, visibleTenants(caller), state, place, size);
    const { names } = await deps.privacy.ring.open(
      caller.tenantId,
      letters.flatMap(({ history }) => history.map(({ by }) => by)),
    );
    const nextCursor = next === null ? null : makeCursor(deps.secrets, caller.tenantId, question, next);
    return success(200, {
      deadLetters: letters.map((letter) => shown(letter, state, names)),
      pageInfo: { hasMore: next !== null, nextCursor },
    });
  }

  /** Closes one, and says so. Z1 lets a repeat under the same command find it closed by itself. */
  async function close<B>(
    { caller, parameter: id, commandId, now }: Direct<B>,
    what: Pick<Closing, 'action' | 'reason'>,
    act: (letter: DeadLetter) => (() => Promise<void>) | Problem,
  ): Promise<JsonObject | { problem: Problem }> {
    const answer = { id, action: what.action };
    const found = await first(visibleTenants(caller), (tenantId) => store.find(tenantId, id));
    if (found === undefined) return { problem: { code: 'not_found', detail: `There is no dead letter ${id}` } };
    const last = found.letter.history.at(-1);
    if (!found.isOpen) return last?.commandId === commandId ? answer : { problem: alreadyClosed(last) };
    const run = act(found.letter);
    if (typeof run !== 'function') return { problem: run };
    const closing = { ...what, by: caller.userId, at: formatInstant(now), commandId };
    if ((await store.close(found.letter, closing, run)) === 'gone') return { problem: alreadyClosed(undefined) };
    deps.observer.count('dead_letters_closed_total', { action: what.action });
    deps.observer.log('info', 'a dead letter was closed', { ...closing, deadLetter: id, tenantId: caller.tenantId });
    return answer;
  }

  /** A record stands in its log again and is looked at anew, like any other. */
  const appendAgain = (letter: DeadLetter) => () =>
    deps.log.append(letter.topic, [{ key: letter.key, value: Buffer.from(letter.bytes, 'base64'), headers: letter.headers }]);

  function deliverAgain({ tenantId, id, key, notification }: DeadLetter, commandId: string, now: number) {
    const { subscriptionId, sequence, ...source } = notification ?? { subscriptionId: '', sequence: 0, partition: 0, offset: 0 };
    const againId = `again_${derive('again', tenantId, id, commandId)}`;
    return async () => {
      const delivery = {
        ...{ tenantId, subscriptionId, id: againId, line: againId },
        ...{ event: { key, sequence }, source: { ...source, at: now } },
        ...{ attempts: 0, dueAt: now, storedAt: now, kind: ASKED_DELIVERIES, version: 1 },
      };
      await deps.documents.write(deliveryDocument(delivery)); // a conflict: it was asked for already
    };
  }

  api.read(
    '/api/v1/dead-letters',
    {
      summary: 'What was given up, oldest first',
      description:
        'Commands and events that could not be read or decided, and notifications that could not be delivered, with their original bytes. A page may be shorter than `pageSize` although there are more: only `hasMore` says. What proves no tenant is shown to the admins of `default`.',
      tag: 'Administration',
      query: listQuery,
      success: { 200: { description: 'A page of dead letters', data: pageSchema } },
      problems: ['invalid_request', 'forbidden'],
    },
    async (caller, c) => {
      const reply = mayRead(caller, ADMINISTER) ?? (await page(caller, c.req.url));
      return 'code' in reply ? problemReply(reply, c.req.path) : reply;
    },
  );
  api.direct(
    {
      ...{ method: 'POST', path: '/api/v1/dead-letters/{id}/redrive', type: 'RedriveDeadLetter', permission: ADMINISTER, status: 202 },
      ...{ schema: noBody, parameter: inPath },
      async run(call) {
        const found = await first(visibleTenants(call.caller), (tenantId) => store.find(tenantId, call.parameter));
        const { tenantId, notification } = found?.letter ?? { tenantId: '', notification: null };
        const isSubscribed = notification === null || (await subscriptions.read(tenantId, notification.subscriptionId)) !== undefined;
        return close(call, { action: 'redriven', reason: null }, (letter) => {
          if (letter.notification !== null)
            return isSubscribed ? deliverAgain(letter, call.commandId, call.now) : cannot('Its subscription does not exist any more');
          return isOurs(letter.topic) ? appendAgain(letter) : cannot('It came from outside; its sender can send it again');
        });
      },
    },
    {
      summary: 'Try it again',
      description:
        'A record is appended to its log anew and looked at like any other; a notification is delivered again, also while its subscription is paused, which it resumes when it arrives. What fails again is a new dead letter.',
      ...{ tag: 'Administration', isDirect: true, parameters },
      body: noBody,
      success: { 202: { description: 'It is on its way', data: closedDeadLetter } },
      problems: ['not_found', 'invalid_state'],
    },
  );
  api.direct(
    {
      ...{ method: 'POST', path: '/api/v1/dead-letters/{id}/drop', type: 'DropDeadLetter', permission: ADMINISTER, status: 200 },
      ...{ schema: dropDeadLetter, parameter: inPath },
      run: (call) => close(call, { action: 'dropped', reason: call.body.reason }, () => async () => {}),
    },
    {
      summary: 'Leave it at that',
      description: 'It is kept under `state=closed`, with who dropped it and why.',
      ...{ tag: 'Administration', isDirect: true, parameters },
      body: dropDeadLetter,
      success: { 200: { description: 'It is closed', data: closedDeadLetter } },
      problems: ['not_found', 'invalid_state'],
    },
  );
}

const isOurs = (topic: string): boolean => topic === TOPICS.work || topic === TOPICS.events;

const cannot = (detail: string): Problem => ({ code: 'invalid_state', detail });

const alreadyClosed = (last: Closing | undefined): Problem => cannot(`It was ${last?.action ?? 'dealt with'} already`);

async function first<T>(tenantIds: string[], find: (tenantId: string) => Promise<T | undefined>): Promise<T | undefined> {
  for (const tenantId of tenantIds) {
    const found = await find(tenantId);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Offsets are left out: they would tell a tenant how busy the others are. */
function shown(letter: DeadLetter, state: string, names: Map<string, Name>): JsonObject {
  const { id, topic, key, headers, bytes, reason, attempts, at, notification, history } = letter;
  const taskId = isOurs(topic) && key.includes('/') ? key.slice(key.indexOf('/') + 1) : undefined;
  const kind = notification !== null ? 'notification' : topic === TOPICS.work ? 'command' : topic === TOPICS.events ? 'event' : 'unknown';
  return {
    ...{ id, kind, state, reason, attempts, at, headers, bytes },
    ...(taskId === undefined ? {} : { taskId }),
    ...(notification === null ? {} : { subscriptionId: notification.subscriptionId, sequence: notification.sequence }),
    history: history.map(({ by, reason: why, ...closing }) => ({
      ...closing,
      by: names.get(by)?.name ?? by,
      ...(why === null ? {} : { reason: why }),
    })),
  };
}
