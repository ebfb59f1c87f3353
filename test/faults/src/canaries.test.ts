import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '@retrigger/test-gateway/eventually.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Child, kill, startChild } from './child.ts';
import { Client } from './client.ts';

const MAIN = join(import.meta.dirname, '../../../services/standalone/src/main.ts');
/** In everything that nobody may find again in a log line or another caller's answer. */
const CANARY = 'canary7f3a';
const KEY = `${CANARY}-the-first-key`;
const SECRET = `${CANARY}-the-server-secret`;

let folder: string;
let child: Child;
let url: string;
let client: Client;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'retrigger-canaries-'));
  child = startChild(MAIN, [], {
    PORT: '0',
    RETRIGGER_DATA_DIR: folder,
    RETRIGGER_API_KEY: KEY,
    RETRIGGER_SECRET: SECRET,
    RETRIGGER_ALLOW_PRIVATE_TARGETS: 'true',
    RETRIGGER_LOG_LEVEL: 'debug',
    RETRIGGER_LIMIT_TASK_PER_HOUR: '2',
  });
  url = await child.ready;
  client = new Client(url, KEY);
});

afterAll(async () => {
  await kill(child);
  rmSync(folder, { recursive: true, force: true });
});

/** The head and body of whatever answers raw bytes. */
const exchange = (bytes: string): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.end(bytes));
    socket.on('data', (chunk) => {
      text += chunk.toString();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(text));
  });

test('no key, secret, credential or body is in any log line, and no refusal repeats what it was given', async () => {
  const refusals: string[] = [];
  const refused = async (method: string, path: string, headers: Record<string, string>, body?: string) => {
    const response = await fetch(`${url}${path}`, { method, headers, ...(body === undefined ? {} : { body }) });
    expect(response.status).toBeGreaterThanOrEqual(400);
    refusals.push(`${JSON.stringify(Object.fromEntries(response.headers))} ${await response.text()}`);
  };
  const json = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' };
  const TRIGGER = '/api/v1/tasks/t/trigger';
  for (const authorization of [`Bearer ${CANARY}-wrong`, `Basic ${CANARY}`, `${CANARY}`, `Bearer ${KEY}x`])
    await refused('GET', '/api/v1/tasks', { authorization });
  await refused('POST', TRIGGER, { ...json, cookie: CANARY, 'x-api-key': CANARY, forwarded: CANARY }, `{"context": ${CANARY}`);
  await refused('POST', TRIGGER, json, `{"context": "${CANARY}`);
  await refused('POST', TRIGGER, json, JSON.stringify({ context: [CANARY] }));
  await refused('POST', TRIGGER, json, JSON.stringify({ triggerReason: `${CANARY}`.repeat(1_000) }));
  await refused('POST', TRIGGER, { ...json, 'content-type': `text/${CANARY}` }, CANARY);
  await refused('POST', TRIGGER, { ...json, 'idempotency-key': `${CANARY}`.repeat(50) }, '{}');
  await refused('POST', '/api/v1/tasks', json, JSON.stringify({ type: 'job', target: { url: `ftp://${CANARY}:${CANARY}@host/` } }));
  await refused('POST', '/api/v1/tasks', json, JSON.stringify({ type: 'job', deadline: CANARY, target: { url: CANARY } }));
  await refused('POST', '/api/v1/tasks', json, CANARY.repeat(150_000));
  await refused('GET', `/api/v1/tasks?cursor=${CANARY}&status=${CANARY}`, json);
  refusals.push(
    await exchange(`${CANARY} / ${CANARY}\r\n${CANARY}\r\n\r\n`),
    await exchange(`GET /${CANARY} HTTP/1.1\r\nHost: ${CANARY} x\r\n\r\n`),
  );
  for (const refusal of refusals) expect(refusal).not.toContain(CANARY);

  const calls: (string | undefined)[] = [];
  const target = createServer((request, response) => {
    calls.push(request.headers['x-secret'] as string | undefined);
    response.writeHead(calls.length === 1 ? 500 : 200, { 'content-type': 'application/json' });
    response.end(calls.length === 1 ? CANARY : JSON.stringify({ result: CANARY }));
  }).listen(0, '127.0.0.1');
  try {
    await eventually('the target listens', async () => target.listening);
    const { port } = target.address() as AddressInfo;
    const create = (taskId: string, at: number) =>
      client.send('POST', '/api/v1/tasks', {
        taskId,
        type: 'job',
        context: { secret: CANARY },
        target: {
          url: `http://127.0.0.1:${at}/${CANARY}?token=${CANARY}`,
          headers: { 'x-secret': CANARY, authorization: `Bearer ${CANARY}` },
        },
        retry: { maxAttempts: 2, baseDelay: '100ms', jitter: 'none' },
      });
    expect((await create('called', port)).status).toBe(201);
    expect((await create('unreachable', 1)).status).toBe(201);
    for (const taskId of ['called', 'unreachable'])
      await client.send(
        'POST',
        `/api/v1/tasks/${taskId}/trigger`,
        { triggerReason: CANARY, context: { password: CANARY } },
        `${CANARY}-${taskId}`,
      );
    await eventually('both have ended', async () =>
      (await Promise.all(['called', 'unreachable'].map((taskId) => client.task(taskId)))).every(({ status }) =>
        ['Completed', 'Failed'].includes(status),
      ),
    );
    expect(calls).toEqual([CANARY, CANARY]);
  } finally {
    target.close();
  }
  child.process.kill('SIGTERM');
  expect(await child.ended).toEqual({ code: 0, signal: null });
  const lines = child.output().split('\n');
  expect(lines.filter((line) => line.includes('"request refused"')).length, 'refusals are logged').toBeGreaterThan(10);
  expect(lines.filter((line) => line.includes(CANARY) && !line.includes('listening on'))).toEqual([]);
});
