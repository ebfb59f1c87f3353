import { hmacSecrets } from '@retrigger/config/hmac-secrets.ts';
import { anyOf, apiKeys, type Caller, firstApiKey } from '@retrigger/gateway/credentials.ts';
import { type IssuedKey, issueKey, keySecrets, keyText, newKeyId, revokeKey } from '@retrigger/gateway/issued-keys.ts';
import { KeyCredentials } from '@retrigger/gateway/key-credentials.ts';
import { MemoryDocumentStore } from '@retrigger/memory/memory-document-store.ts';
import type { DocumentStore } from '@retrigger/ports/document-store.ts';
import { expect, test } from 'vitest';
import { FakeClock, settled } from './fakes.ts';

const secrets = hmacSecrets(Buffer.from('the server secret of these tests'));
const ann: Caller = { tenantId: 'acme', userId: 'ann', roles: ['operator'] };

async function installation() {
  const clock = new FakeClock();
  const documents = new MemoryDocumentStore();
  const reads: string[] = [];
  let answers: Promise<void> = Promise.resolve();
  const watched: Pick<DocumentStore, 'read'> = {
    async read(kind, tenantId, id) {
      reads.push(kind);
      await answers;
      return documents.read(kind, tenantId, id);
    },
  };
  const key: IssuedKey = {
    ...{ id: newKeyId(secrets, 'c1', clock.now()), ...ann, createdAt: '2026-03-04T05:06:07.008Z' },
    ...{ expiresAt: null, revokedAt: null },
  };
  await issueKey(documents, key, 'default/admin');
  const credentials = new KeyCredentials({ documents: watched, secrets, clock });
  return {
    ...{ clock, documents, reads, key, text: keyText(secrets, key), credentials },
    revoke: () => revokeKey(documents, null, key.id, { by: 'default/admin', commandId: 'c2', now: clock.now() }),
    storeAnswers(when: Promise<void>) {
      answers = when;
    },
  };
}

test('a key is looked up once, and then known at once for a while (Z2)', async () => {
  const { clock, reads, text, credentials } = await installation();
  expect(await credentials.identify(text)).toEqual(ann);
  expect(reads).toEqual(['api-key-tenant', 'api-key']);
  for (let i = 0; i < 100; i++) expect(credentials.identify(text)).toEqual(ann);
  clock.advance(1_500);
  for (let i = 0; i < 100; i++) expect(credentials.identify(text)).toEqual(ann);
  await settled();
  expect(reads).toEqual(['api-key-tenant', 'api-key', 'api-key']); // C6
});

test('twins that are looked up at once share the reads', async () => {
  const { reads, text, credentials } = await installation();
  expect(await Promise.all(Array.from({ length: 50 }, () => credentials.identify(text)))).toEqual(Array(50).fill(ann));
  expect(reads).toHaveLength(2);
});

test('a key that was made up costs no read, however many there are (C2)', async () => {
  const { reads, text, key, credentials } = await installation();
  const others = [
    ...Array.from({ length: 200 }, (_, i) => `rtk_${String(i).padStart(33, 'x')}_${'y'.repeat(43)}`),
    ...[`${text} `, text.slice(0, -1), `${text}A`, 'rtk_', '', 'eyJhbGciOiJub25lIn0.e30.'],
  ];
  for (const other of others) expect(credentials.identify(other)).toBeUndefined();
  for (const id of ['first', 'key_', `${key.id.slice(0, -1)}${key.id.endsWith('A') ? 'B' : 'A'}`, '__proto__'])
    expect(await credentials.signer(id)).toBeUndefined();
  expect(reads).toEqual([]);
});

test('a right id with another end is nobody’s key (C1)', async () => {
  const { text, credentials } = await installation();
  for (let i = 1; i <= 42; i++) {
    const at = text.length - i - 1; // the last character of 32 bytes in base64url has idle bits, and must be the right one all the same
    const other = text[at] === 'A' ? 'B' : 'A';
    expect(await credentials.identify(`${text.slice(0, at)}${other}${text.slice(at + 1)}`)).toBeUndefined();
  }
  const last = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'.replace(text.at(-1) ?? '', '');
  for (const other of last) expect(await credentials.identify(`${text.slice(0, -1)}${other}`)).toBeUndefined();
});

test('a key of another installation is nobody’s', async () => {
  const { key, credentials } = await installation();
  const elsewhere = hmacSecrets(Buffer.from('the server secret of another one'));
  expect(await credentials.identify(keyText(elsewhere, key))).toBeUndefined();
  expect(await credentials.identify(keyText(elsewhere, { ...key, id: newKeyId(elsewhere, 'c1', 0) }))).toBeUndefined();
});

test('a revoked key is good nowhere 5 s later, also one that is used all the time (C3, Z1)', async () => {
  const { clock, text, credentials, revoke } = await installation();
  expect(await credentials.identify(text)).toEqual(ann);
  expect(await revoke()).toBe(true);
  for (let waited = 0; waited < 4_900; waited += 100) {
    clock.advance(100);
    await credentials.identify(text);
  }
  clock.advance(100);
  expect(await credentials.identify(text)).toBeUndefined();
});

test('a store that does not answer makes nobody outlive the 5 s: the look-up waits, and fails with it (Z1)', async () => {
  const { clock, text, credentials, storeAnswers } = await installation();
  expect(await credentials.identify(text)).toEqual(ann);
  storeAnswers(Promise.reject(new Error('the store is away')));
  clock.advance(3_999);
  expect(credentials.identify(text)).toEqual(ann);
  await settled();
  clock.advance(1);
  await expect(credentials.identify(text)).rejects.toThrow('the store is away');
  storeAnswers(Promise.resolve());
  expect(await credentials.identify(text)).toEqual(ann);
});

test('an answer that was asked for before the revocation is not remembered after it', async () => {
  const { text, key, credentials, storeAnswers, revoke } = await installation();
  let answer = (): void => {};
  storeAnswers(
    new Promise((resolve) => {
      answer = resolve;
    }),
  );
  const early = credentials.identify(text);
  await settled();
  credentials.forget(key.id);
  answer();
  await early;
  await revoke();
  credentials.forget(key.id);
  expect(await credentials.identify(text)).toBeUndefined();
});

test('a key signs by its id: for its user, under a secret of its own, until it is revoked', async () => {
  const { key, credentials, clock, revoke } = await installation();
  const { signingSecret: secret } = keySecrets(secrets, key);
  expect(await credentials.signer(key.id)).toEqual({ secret, caller: ann });
  expect(secret).toBe(secrets.derive('signing', 'acme', key.id, 1).toString('base64url'));
  await revoke();
  clock.advance(5_000);
  expect(await credentials.signer(key.id)).toBeUndefined();
});

test('the first key signs by the id first', async () => {
  const signer = await firstApiKey('the-first-key-of-all', secrets).signer('first');
  const secret = secrets.derive('signing', 'default', 'first', 1).toString('base64url');
  expect(signer).toMatchObject({ secret, caller: { tenantId: 'default', userId: 'admin', roles: ['admin'] } });
});

test('several ways are asked in their order, and one that takes its time is waited for', async () => {
  const { text, key, credentials } = await installation();
  const both = anyOf(credentials, apiKeys([{ key: 'a-key-of-old', caller: { ...ann, userId: 'old' } }]));
  expect(await both.identify(text)).toEqual(ann);
  expect(await both.identify('a-key-of-old')).toMatchObject({ userId: 'old' });
  expect(await both.identify('no key')).toBeUndefined();
  expect(await both.signer(key.id)).toMatchObject({ caller: ann });
  expect(await both.signer('nothing')).toBeUndefined();
});
