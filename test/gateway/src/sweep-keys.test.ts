import { hmacSecrets } from '@retrigger/config/hmac-secrets.ts';
import { type IssuedKey, issueKey, newKeyId } from '@retrigger/gateway/issued-keys.ts';
import { sweepKeys } from '@retrigger/gateway/sweep-keys.ts';
import { MemoryDocumentStore } from '@retrigger/memory/memory-document-store.ts';
import { expect, test } from 'vitest';
import { FakeClock } from './fakes.ts';

const secrets = hmacSecrets(Buffer.from('the server secret of these tests'));
const HOUR_MS = 3_600_000;

test('a key that was revoked or has expired two days ago is removed with its index; every other one stays', async () => {
  const clock = new FakeClock();
  const documents = new MemoryDocumentStore();
  const hoursAgo = (hours: number) => new Date(clock.now() - hours * HOUR_MS).toISOString();
  const issue = async (userId: string, ends: Partial<IssuedKey>) => {
    const id = newKeyId(secrets, userId, 0);
    await issueKey(
      documents,
      { ...{ id, tenantId: 'acme', userId, roles: ['viewer'], createdAt: hoursAgo(99) }, ...{ expiresAt: null, revokedAt: null, ...ends } },
      'x',
    );
    return id;
  };
  const kept = [
    await issue('good', {}),
    await issue('will-expire', { expiresAt: hoursAgo(-1) }),
    await issue('just-revoked', { revokedAt: hoursAgo(47) }),
    await issue('just-expired', { expiresAt: hoursAgo(47) }),
  ];
  for (let i = 0; i < 600; i++) await issue(`revoked-${i}`, { revokedAt: hoursAgo(48) });
  await issue('revoked-with-time-left', { revokedAt: hoursAgo(48), expiresAt: hoursAgo(-100) });
  await issue('expired', { expiresAt: hoursAgo(48) });
  expect(await sweepKeys(documents, clock)).toBe(clock.now() + HOUR_MS);
  for (const kind of ['api-key', 'api-key-tenant'])
    expect((await documents.listAll(kind, null, 1_000)).map(({ id }) => id).toSorted()).toEqual(kept.toSorted());
});
