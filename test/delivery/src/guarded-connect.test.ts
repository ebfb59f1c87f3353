import type { LookupAddress } from 'node:dns';
import { guardedAgent, RefusedAddressError, type Resolve } from '@retrigger/delivery/guarded-connect.ts';
import { afterEach, expect, test } from 'vitest';
import { startServer } from './target-server.ts';

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function start(allowPrivate: boolean, answers: LookupAddress[][] = []) {
  const server = await startServer((response) => response.end('reached'));
  const asked: string[] = [];
  const resolve: Resolve = (name, done) => {
    asked.push(name);
    done(null, answers[Math.min(asked.length, answers.length) - 1] ?? []);
  };
  const agent = guardedAgent({ allowPrivate, connectTimeoutMs: 1_000, resolve });
  cleanups.push(server.stop, () => agent.destroy());
  const get = async (host: string) => {
    const { body } = await agent.request({ origin: `http://${host}:${server.port}`, path: '/', method: 'GET' });
    return body.text();
  };
  return { server, asked, get };
}

const PUBLIC = { address: '93.184.215.14', family: 4 };
const LOOPBACK = { address: '127.0.0.1', family: 4 };

test('a name that leads to a private address is refused before anything is sent', async () => {
  const { server, get } = await start(false, [[LOOPBACK]]);
  await expect(get('rebind.example')).rejects.toThrow(RefusedAddressError);
  expect(server.received).toEqual([]);
});

test('V2: one private address among public ones refuses them all', async () => {
  const { get } = await start(false, [[PUBLIC, { address: '::ffff:10.0.0.1', family: 6 }]]);
  await expect(get('mixed.example')).rejects.toThrow(RefusedAddressError);
});

test.each(['127.0.0.1', '2130706433', '0x7f.1', '[::1]', '[::ffff:127.0.0.1]', '169.254.169.254'])(
  'V3: the literal address %s is refused without a lookup',
  async (host) => {
    const { server, asked, get } = await start(false);
    await expect(get(host)).rejects.toThrow(RefusedAddressError);
    expect(asked).toEqual([]);
    expect(server.received).toEqual([]);
  },
);

test('V1: the address that was checked is the one that is connected to: the name is looked up once', async () => {
  const { asked, get } = await start(true, [[LOOPBACK], [PUBLIC]]);
  expect(await get('rebind.example')).toBe('reached');
  expect(asked).toEqual(['rebind.example']);
});

test('V1: a second connection is checked anew', async () => {
  const { server, asked, get } = await start(false, [[{ address: '0.0.0.0', family: 4 }], [LOOPBACK]]);
  for (let i = 0; i < 2; i++) await expect(get('rebind.example')).rejects.toThrow(RefusedAddressError);
  expect(asked).toHaveLength(2);
  expect(server.received).toEqual([]);
});

test('private addresses are reached where they are allowed, by name and as a literal', async () => {
  const { get } = await start(true, [[LOOPBACK]]);
  expect(await get('inside.example')).toBe('reached');
  expect(await get('127.0.0.1')).toBe('reached');
});
