import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Random } from './random.ts';
import { Recorder } from './recorder.ts';
import { User } from './user.ts';

type Told = [status: number, body: object];

/** Answers each key in turn with what is told here, and the last of it for ever. */
let tell: Told[];
let asked: string[];
let recorder: Recorder;
let user: User;
const door = createServer((request, response) => {
  asked.push(String(request.headers['idempotency-key']));
  const [status, body] = (tell.length > 1 ? tell.shift() : tell[0]) ?? [500, {}];
  response.writeHead(status, { 'x-command-id': 'c' }).end(JSON.stringify(body));
});
beforeEach(async () => {
  asked = [];
  door.listen(0, '127.0.0.1');
  await once(door, 'listening');
  const url = `http://127.0.0.1:${(door.address() as AddressInfo).port}`;
  recorder = new Recorder('test');
  user = new User({ id: 'acme', key: 'k', doors: [url], publisher: null }, recorder, new Random(1));
});
afterEach(async () => {
  door.closeAllConnections();
  door.close();
  await once(door, 'close');
});

const ask = () => user.ask('POST', '/tasks', {}, 'one', [201]);

test('what is pending or put off is asked again under the same key, until it is decided', async () => {
  tell = [
    [503, {}],
    [202, { data: { state: 'pending' } }],
    [429, {}],
    [201, { data: { taskId: 'a' } }],
  ];
  expect((await ask())?.body).toEqual({ data: { taskId: 'a' } });
  expect(new Set(asked)).toEqual(new Set(['one']));
  expect(Object.fromEntries(recorder.undecided)).toEqual({ 503: 1, pending: 1, 429: 1 });
  expect(recorder.wrong).toEqual([]);
});

test('an answer that must not be given is noted', async () => {
  tell = [[500, {}]];
  expect(await ask()).toBeUndefined();
  expect(recorder.wrong).toHaveLength(1);
});

test('whoever is told one thing and then another notes it', async () => {
  for (let n = 0; n < 40 && recorder.wrong.length === 0; n++) {
    tell = [
      [201, { data: { n } }],
      [201, { data: { n: 'another' } }],
    ];
    await ask();
  }
  expect(recorder.wrong[0]).toMatch(/was told 201 .* and then 201/);
});

test('what has no outcome long after the last fault is noted, on the slowest machine too', async () => {
  tell = [[503, {}]];
  recorder.wholeSince = performance.now() - 240_001;
  expect(await ask()).toBeUndefined();
  expect(recorder.wrong[0]).toContain('has no outcome');
});
