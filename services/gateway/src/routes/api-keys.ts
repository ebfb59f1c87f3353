import { apiKeyPage, createApiKey, createdApiKey } from '@retrigger/contract/api-key-schema.ts';
import { parseDuration } from '@retrigger/domain/duration.ts';
import { ID_PATTERN } from '@retrigger/domain/identifiers.ts';
import { formatInstant, parseInstant } from '@retrigger/domain/instant.ts';
import type { JsonObject } from '@retrigger/domain/json.ts';
import { NAME_TOKEN } from '@retrigger/domain/privacy/name-token.ts';
import { z } from 'zod';
import type { Api } from '../api.ts';
import type { Caller } from '../credentials.ts';
import { makeCursor, NOT_ITS_CURSOR, readCursor } from '../cursor.ts';
import { DEFAULT_PAGE, PAGE_SIZES, readPageSize } from '../event-query.ts';
import { isProblem } from '../exchange.ts';
import { API_KEY, type IssuedKey, issueKey, keyOf, keySecrets, newKeyId, revokeKey } from '../issued-keys.ts';
import { invalid, type Problem, problemReply } from '../problem.ts';
import { readQuery } from '../query.ts';
import { type Reply, success } from '../reply.ts';
import { mayRead } from './task-in-path.ts';

/** The tenant whose admins keep everybody's keys. */
const KEEPER = 'default';

const NO_SUCH_KEY: Problem = { code: 'not_found', detail: 'There is no such API key' };
const NOT_THEIR_TENANT: Problem = { code: 'forbidden', detail: `Only an admin of the tenant ${KEEPER} keeps the keys of another tenant` };

const listQuery = z.object({
  tenantId: z.string().optional().meta({ description: 'The caller’s own when absent; another only for an admin of the tenant `default`' }),
  cursor: z.string().optional().meta({ description: '`nextCursor` of the page before' }),
  pageSize: z.int().min(1).max(1_000).optional().meta({ description: '100 when absent' }),
});

/** Whose keys a caller may keep. */
const mayKeep = (caller: Caller, tenantId: string): Problem | undefined =>
  caller.tenantId === tenantId || caller.tenantId === KEEPER ? undefined : NOT_THEIR_TENANT;

/** A key as it may be seen. */
const shown = ({ id, tenantId, userId, roles, createdAt, expiresAt }: IssuedKey): JsonObject => ({
  ...{ id, tenantId, userId, roles, createdAt },
  ...(expiresAt === null ? {} : { expiresAt }),
});

export function apiKeyRoutes(api: Api): void {
  const { deps } = api;
  const { documents, secrets, observer, credentials } = deps;
  const { ring } = deps.privacy;

  /** Keys are kept under the tokens of their users; those of users who were erased are good no more, and not shown. */
  async function withNames(tenantId: string, keys: JsonObject[]): Promise<JsonObject[]> {
    const { names } = await ring.open(
      tenantId,
      keys.map(({ userId }) => String(userId)),
    );
    return keys.flatMap((key) => {
      const userId = NAME_TOKEN.test(String(key.userId)) ? names.get(String(key.userId))?.name : key.userId;
      return userId === undefined ? [] : [{ ...key, userId }];
    });
  }

  api.direct<z.infer<typeof createApiKey>>(
    {
      method: 'POST',
      path: '/api/v1/api-keys',
      type: 'CreateApiKey',
      permission: 'tenant:administer',
      schema: createApiKey,
      status: 201,
      check: ({ caller, body, now }) => {
        const { tenantId = caller.tenantId, expiresAt } = body;
        const isPast = expiresAt !== undefined && (parseInstant(expiresAt) ?? 0) <= now;
        return mayKeep(caller, tenantId) ?? (isPast ? invalid('expiresAt', 'must be in the future') : undefined);
      },
      async run({ caller, body, commandId, now }) {
        const { tenantId = caller.tenantId, roles, expiresAt, expiresIn } = body;
        const userId = await ring.tokenOf(tenantId, body.userId);
        const ends = expiresIn === undefined ? expiresAt && parseInstant(expiresAt) : now + (parseDuration(expiresIn) ?? 0);
        const key: IssuedKey = {
          ...{ id: newKeyId(secrets, commandId, now), tenantId, userId, roles, createdAt: formatInstant(now) },
          ...{ expiresAt: typeof ends === 'number' ? formatInstant(ends) : null, revokedAt: null },
        };
        await issueKey(documents, key, `${caller.tenantId}/${caller.userId}`);
        observer.log('info', 'an API key was made', { keyId: key.id, tenantId, by: `${caller.tenantId}/${caller.userId}` });
        return shown(key);
      },
      async show(_, kept) {
        const tenantId = String(kept.tenantId);
        const [named = kept] = await withNames(tenantId, [kept]);
        return { ...named, ...keySecrets(secrets, { tenantId, id: String(kept.id) }) };
      },
    },
    {
      summary: 'Make an API key',
      description:
        'Only an admin. The key and the signing secret are derived, not stored: this answer and its repeats are all there is of them.',
      tag: 'Administration',
      isDirect: true,
      body: createApiKey,
      success: { 201: { description: 'The new key', data: createdApiKey } },
    },
  );
  api.read(
    '/api/v1/api-keys',
    {
      summary: 'The API keys of a tenant',
      description:
        'Only an admin. Without those that were revoked, so a page may be shorter than `pageSize`: only `hasMore` says whether there are more.',
      tag: 'Administration',
      query: listQuery,
      success: { 200: { description: 'A page of keys, without the keys themselves', data: apiKeyPage } },
      problems: ['invalid_request', 'forbidden'],
    },
    async (caller, c) => {
      const reply = mayRead(caller, 'tenant:administer') ?? (await page(caller, c.req.url));
      return isProblem(reply) ? problemReply(reply, c.req.path) : reply;
    },
  );
  api.direct<Record<string, never>>(
    {
      method: 'DELETE',
      path: '/api/v1/api-keys/{id}',
      type: 'RevokeApiKey',
      permission: 'tenant:administer',
      schema: z.strictObject({}),
      status: 204,
      parameter: { name: 'id', check: (text) => (ID_PATTERN.test(text) ? undefined : NO_SUCH_KEY) },
      async run({ caller, parameter: keyId, commandId, now }) {
        const by = `${caller.tenantId}/${caller.userId}`;
        const tenantId = caller.tenantId === KEEPER ? null : caller.tenantId;
        if (!(await revokeKey(documents, tenantId, keyId, { by, commandId, now }))) return { problem: NO_SUCH_KEY };
        credentials.forget?.(keyId);
        observer.log('info', 'an API key was revoked', { keyId, by });
        return {};
      },
    },
    {
      summary: 'Revoke an API key',
      description:
        'Only an admin. It is good nowhere 5 seconds later. The key that the installation started with is not among them: that one is changed in its settings.',
      tag: 'Administration',
      isDirect: true,
      parameters: z.object({ id: z.string() }),
      success: { 204: { description: 'Revoked' } },
      problems: ['not_found'],
    },
  );

  async function page(caller: Caller, url: string): Promise<Reply | Problem> {
    const query = readQuery(url, ['tenantId', 'cursor', 'pageSize']);
    if (query.kind === 'problem') return query.problem;
    const { tenantId = caller.tenantId, cursor = '', pageSize = String(DEFAULT_PAGE) } = query.values;
    const size = readPageSize(pageSize);
    if (size === undefined) return invalid('pageSize', PAGE_SIZES);
    if (!ID_PATTERN.test(tenantId)) return invalid('tenantId', 'must be the id of a tenant');
    const question = `api-keys\n${tenantId}`;
    const place = cursor === '' ? null : readCursor(secrets, caller.tenantId, question, cursor);
    const wrong = mayKeep(caller, tenantId) ?? (place === undefined ? invalid('cursor', NOT_ITS_CURSOR) : undefined);
    if (wrong !== undefined || place === undefined) return wrong ?? invalid('cursor', NOT_ITS_CURSOR);
    const found = await documents.list(API_KEY, tenantId, place, size + 1);
    const keys = found.slice(0, size).map(keyOf);
    const last = keys.at(-1);
    const hasMore = found.length > size && last !== undefined;
    return success(200, {
      apiKeys: await withNames(tenantId, keys.filter(({ revokedAt }) => revokedAt === null).map(shown)),
      pageInfo: { hasMore, nextCursor: hasMore ? makeCursor(secrets, caller.tenantId, question, last.id) : null },
    });
  }
}
