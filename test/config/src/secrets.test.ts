import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { firstKey } from '@retrigger/config/first-key.ts';
import { hmacSecrets } from '@retrigger/config/hmac-secrets.ts';
import { serverSecret } from '@retrigger/config/server-secret.ts';
import { FIRST_KEY, signingSecret } from '@retrigger/config/signing-secret.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'retrigger-config-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const modeOf = (path: string) => statSync(path).mode & 0o777;

test('a server secret is made on the first start, for the owner only, and is the same ever after', async () => {
  const data = join(folder, 'a', 'b');
  const first = await serverSecret(null, data);
  expect(first).toMatchObject({ kind: 'secret' });
  expect(await serverSecret(null, data)).toEqual(first);
  expect(modeOf(join(data, 'secret'))).toBe(0o600);
  expect(modeOf(data)).toBe(0o700);
  expect(readdirSync(data)).toEqual(['secret']);
});

test('a secret that is given is used, and nothing is written', async () => {
  expect(await serverSecret('0123456789abcdef', folder)).toEqual({ kind: 'secret', secret: Buffer.from('0123456789abcdef') });
  expect(readdirSync(folder)).toEqual([]);
});

test('K1: all who start at the same time get the same secret', async () => {
  const all = await Promise.all(Array.from({ length: 20 }, () => serverSecret(null, folder)));
  expect(new Set(all.map((one) => (one.kind === 'secret' ? one.secret.toString() : one.message))).size).toBe(1);
  expect(readdirSync(folder)).toEqual(['secret']);
});

test.each(['', 'short', '\n'])('K2: a file that holds %j is an error, and stays as it is', async (text) => {
  writeFileSync(join(folder, 'secret'), text);
  expect(await serverSecret(null, folder)).toMatchObject({ kind: 'unusable', message: expect.stringContaining(join(folder, 'secret')) });
  expect(readFileSync(join(folder, 'secret'), 'utf8')).toBe(text);
});

test('a data folder that can not be is named', async () => {
  writeFileSync(join(folder, 'file'), '');
  expect(await serverSecret(null, join(folder, 'file'))).toMatchObject({
    kind: 'unusable',
    message: expect.stringMatching(/file.secret can not be read or written \(E/),
  });
  mkdirSync(join(folder, 'api-key'));
  expect(await firstKey(null, folder)).toMatchObject({ kind: 'unusable', message: expect.stringContaining('EISDIR') });
});

test('a file that others may read is closed to them', async () => {
  const first = await serverSecret(null, folder);
  chmodSync(join(folder, 'secret'), 0o644);
  expect(await serverSecret(null, folder)).toEqual(first);
  expect(modeOf(join(folder, 'secret'))).toBe(0o600);
});

test('a first key is made once and told apart from one that was there', async () => {
  const first = await firstKey(null, folder);
  expect(first).toMatchObject({ kind: 'key', made: true, key: expect.stringMatching(/^rtk_[\w-]{43}$/) });
  expect(await firstKey(null, folder)).toEqual({ ...first, made: false });
  expect(await firstKey('a key of my own!!', folder)).toEqual({ kind: 'key', key: 'a key of my own!!', made: false });
  expect(modeOf(join(folder, 'api-key'))).toBe(0o600);
});

test('a derived secret depends on every part, and on nothing else', () => {
  const { derive } = hmacSecrets(Buffer.from('server secret'));
  const secret = derive('target', 'acme', 'task-1', 1);
  expect(secret).toHaveLength(32);
  expect(hmacSecrets(Buffer.from('server secret')).derive('target', 'acme', 'task-1', 1)).toEqual(secret);
  const others = [
    derive('subscription', 'acme', 'task-1', 1),
    derive('target', 'acm', 'etask-1', 1),
    derive('target', 'acme', 'task-11', 1),
    derive('target', 'acme', 'task-1', 11),
    derive('target', 'acme:6:task-1', '', 1),
    hmacSecrets(Buffer.from('another secret')).derive('target', 'acme', 'task-1', 1),
  ];
  expect(new Set([secret, ...others].map((one) => one.toString('hex'))).size).toBe(others.length + 1);
});

test('the signing secret of the first key is printed for whoever has the server secret, and is what the gateway derives', async () => {
  const script = fileURLToPath(import.meta.resolve('@retrigger/config/print-signing-secret.ts'));
  const print = (env: { [name: string]: string }) => spawnSync(process.execPath, [script], { env, encoding: 'utf8' });
  const given = print({ RETRIGGER_SECRET: '0123456789abcdef' });
  expect([given.status, given.stdout]).toEqual([0, `${signingSecret(hmacSecrets(Buffer.from('0123456789abcdef')), FIRST_KEY)}\n`]);
  expect(given.stdout).toMatch(/^[\w-]{43}\n$/);
  const none = print({ RETRIGGER_DATA_DIR: folder });
  expect([none.status, none.stdout, none.stderr]).toEqual([1, '', expect.stringContaining('set it to what the cluster was started with')]);
  expect(readdirSync(folder), 'none is made').toEqual([]);
  const kept = await serverSecret(null, folder);
  if (kept.kind !== 'secret') throw new Error(kept.message);
  const ofFolder = print({ RETRIGGER_DATA_DIR: folder });
  expect(ofFolder.stdout).toBe(`${signingSecret(hmacSecrets(kept.secret), FIRST_KEY)}\n`);
  expect(ofFolder.stderr).toContain('RETRIGGER_SECRET is not set');
  const wrong = print({ RETRIGGER_SECRET: 'short' });
  expect([wrong.status, wrong.stdout, wrong.stderr]).toEqual([1, '', expect.stringContaining('RETRIGGER_SECRET is 5 characters long')]);
});
