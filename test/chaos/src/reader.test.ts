import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Reader } from './reader.ts';

/** What each call meets in turn, and every further one the last of it. */
let meets: ((response: ServerResponse) => void)[];
let asked: number;
let reader: Reader;
const door = createServer((_, response) => {
  asked++;
  (meets.length > 1 ? meets.shift() : meets[0])?.(response);
});
beforeEach(async () => {
  asked = 0;
  door.listen(0, '127.0.0.1');
  await once(door, 'listening');
  const url = `http://127.0.0.1:${(door.address() as AddressInfo).port}`;
  reader = new Reader([{ id: 'acme', key: 'k', doors: [url], publisher: null }]);
});
afterEach(async () => {
  door.closeAllConnections();
  door.close();
  await once(door, 'close');
});

const answers = (status: number, body: object) => (response: ServerResponse) => void response.writeHead(status).end(JSON.stringify(body));
const hangsUp = (response: ServerResponse) => void response.destroy();

test('what nobody answers, or is put off, is read again', async () => {
  meets = [hangsUp, answers(503, {}), answers(200, { data: { status: 'Completed' } })];
  expect(await reader.task('acme/t')).toEqual({ status: 'Completed' });
  expect(asked).toBe(3);
});

test('what is refused is refused at once', async () => {
  meets = [answers(404, { code: 'task_not_found' })];
  await expect(reader.task('acme/t')).rejects.toThrow('404');
  expect([await reader.statusFor('acme', 't'), asked]).toEqual([404, 2]);
});

test('what nobody ever answers fails in the end', async () => {
  meets = [hangsUp];
  await expect(reader.task('acme/t')).rejects.toThrow('GET /tasks/t of acme: 0');
});
