import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TcpProxy } from './tcp-proxy.ts';

const server = createServer((socket) => socket.on('error', () => {}).pipe(socket));
let proxy: TcpProxy;
let clients: Socket[];
beforeEach(async () => {
  clients = [];
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  proxy = await TcpProxy.start({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
});
afterEach(async () => {
  for (const client of clients) client.destroy();
  await proxy.close();
  server.close();
  await once(server, 'close');
});

async function dial(): Promise<Socket> {
  const client = connect(proxy.address).on('error', () => {});
  clients.push(client);
  await once(client, 'connect');
  return client;
}

async function echo(client: Socket, text: string): Promise<string> {
  client.write(text);
  let got = '';
  while (got.length < text.length) got += (await once(client, 'data'))[0];
  return got;
}

const closed = (client: Socket): Promise<void> => new Promise((resolve) => client.once('close', () => resolve()));

const isSilent = async (client: Socket, forMs: number): Promise<boolean> => {
  let heard = false;
  const hear = () => {
    heard = true;
  };
  client.on('data', hear);
  await new Promise((resolve) => setTimeout(resolve, forMs));
  client.off('data', hear);
  return !heard;
};

test('an open way carries bytes both ways, and the end of one side to the other', async () => {
  const client = await dial();
  expect(await echo(client, 'x'.repeat(300_000))).toBe('x'.repeat(300_000));
  client.end();
  await closed(client);
});

test('a reset ends what there is, and a new connection works', async () => {
  const client = await dial();
  await echo(client, 'one');
  proxy.reset();
  await closed(client);
  expect(await echo(await dial(), 'two')).toBe('two');
});

test('a delayed way is as late as it is told to be, and in order', async () => {
  proxy.way = { kind: 'delayed', byMs: 60 };
  const client = await dial();
  const sentAt = performance.now();
  client.write('a');
  expect(await echo(client, 'bc')).toMatch(/^ab/);
  expect(performance.now() - sentAt).toBeGreaterThan(110); // there and back
});

test('a half-open way accepts and forwards nothing; afterwards an old connection goes on, and one that nobody knows is reset', async () => {
  const old = await dial();
  await echo(old, 'before');
  proxy.way = { kind: 'half-open' };
  const young = await dial();
  old.write('held back');
  young.write('into the void');
  expect(await Promise.all([isSilent(old, 100), isSilent(young, 100)])).toEqual([true, true]);
  const said = once(old, 'data');
  const gone = closed(young);
  proxy.way = { kind: 'open' };
  expect(String((await said)[0])).toBe('held back');
  await gone;
});

test('a refused way ends what there is and what comes', async () => {
  const client = await dial();
  const gone = closed(client);
  proxy.way = { kind: 'refused' };
  await gone;
  const late = connect(proxy.address).on('error', () => {});
  await closed(late);
});
