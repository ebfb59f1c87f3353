import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Client } from './client.ts';
import { own } from './own.ts';
import { PROFILES, type Running, start } from './profile.ts';

const T = `/api/v1/tasks/${own('t')}`;
const TRIGGER = `${T}/trigger`;
const TASKS = '/api/v1/tasks';
const create = (more: object) => ({ type: 'job', ...more });

/** What is sent, and the status and code of its problem. */
const TABLE: [string, string, string, unknown, number, string][] = [
  ['malformed JSON', 'POST', TRIGGER, '{"a":', 400, 'invalid_request'],
  ['an unknown field', 'POST', TRIGGER, { reason: 'x' }, 400, 'invalid_request'],
  ['a field that is not possible yet', 'POST', TRIGGER, { onMissed: 'fire' }, 400, 'invalid_request'],
  ['__proto__', 'POST', TRIGGER, '{"context":{"__proto__":{"admin":true}}}', 400, 'invalid_request'],
  ['a name twice', 'POST', TRIGGER, '{"context":{"force":false,"force":true}}', 400, 'invalid_request'],
  ['an integer that would lose digits', 'POST', TRIGGER, '{"context":{"orderId":9007199254740993}}', 400, 'invalid_request'],
  ['a wrong type', 'POST', TRIGGER, { triggerReason: ['x'] }, 400, 'invalid_request'],
  ['a list as body', 'POST', TRIGGER, [], 400, 'invalid_request'],
  ['a number beyond a double', 'POST', TRIGGER, '{"context":{"a":1e999}}', 400, 'invalid_request'],
  ['an unpaired surrogate', 'POST', TRIGGER, '{"context":{"a":"\\ud800"}}', 400, 'invalid_request'],
  ['too deep', 'POST', TRIGGER, `{"context":${'{"a":'.repeat(31)}{}${'}'.repeat(31)}}`, 400, 'invalid_request'],
  ['much too deep', 'POST', TRIGGER, '['.repeat(500_000), 400, 'invalid_request'],
  ['too large', 'POST', TRIGGER, { triggerReason: 'x'.repeat(1_100_000) }, 413, 'payload_too_large'],
  ['too large a context', 'POST', TRIGGER, { context: { a: 'x'.repeat(270_000) } }, 413, 'payload_too_large'],
  ['too large when its numbers are written in full', 'POST', TRIGGER, `{"a":[${'1e20,'.repeat(60_000)}0]}`, 413, 'payload_too_large'],
  ['an unknown query parameter', 'POST', `${TRIGGER}?force=true`, {}, 400, 'invalid_request'],
  ['a bad task id', 'POST', '/api/v1/tasks/a%20b/trigger', {}, 400, 'invalid_request'],
  ['bulk as a task id', 'POST', TASKS, create({ taskId: 'bulk' }), 400, 'invalid_request'],
  ['an id that is too long', 'POST', TASKS, create({ taskId: 'x'.repeat(129) }), 400, 'invalid_request'],
  ['an unknown dependency', 'POST', TASKS, create({ dependencies: ['nowhere'] }), 400, 'invalid_request'],
  ['a bad duration', 'POST', TASKS, create({ deadline: 'soon' }), 400, 'invalid_request'],
  ['a target that is not http', 'POST', TASKS, create({ target: { url: 'file:///etc/passwd' } }), 400, 'invalid_request'],
  ['a task that exists', 'POST', TASKS, create({ taskId: own('t') }), 409, 'task_exists'],
  ['an unknown task', 'GET', `/api/v1/tasks/${own('nowhere')}`, undefined, 404, 'task_not_found'],
  ['an unknown task’s history', 'GET', `/api/v1/tasks/${own('nowhere')}/events`, undefined, 404, 'task_not_found'],
  ['a bad cursor', 'GET', `${T}/events?cursor=x`, undefined, 400, 'invalid_request'],
  ['an unknown event type', 'GET', `${T}/events?types=Nothing`, undefined, 400, 'invalid_request'],
  ['a bad date', 'GET', `${T}/events?from=2026-13-01`, undefined, 400, 'invalid_request'],
  ['a bad page size', 'GET', `${T}/events?pageSize=1e2`, undefined, 400, 'invalid_request'],
  ['an unknown execution', 'POST', '/api/v1/executions/none/started', {}, 404, 'not_found'],
  ['an unknown command', 'GET', '/api/v1/commands/none', undefined, 404, 'not_found'],
  ['an unknown path', 'GET', '/api/v1/nothing', undefined, 404, 'not_found'],
];

describe.each(PROFILES)('bad input, %s', (profile) => {
  let running: Running;
  beforeAll(async () => {
    running = await start(profile);
    await running.admin.create(own('t'));
  });
  afterAll(() => running.stop());

  const problem = async (method: string, path: string, body: unknown, headers: { [name: string]: string } = {}, client = running.admin) => {
    const answer = await client.call(method, path, body, headers);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(answer.headers.get('x-request-id')).toMatch(/./);
    const { type, title, detail, instance, status, code } = answer.json;
    for (const member of [type, title, detail, instance]) expect(member).toEqual(expect.any(String));
    expect(status).toBe(answer.status);
    return [answer.status, code];
  };

  test.each(TABLE)('%s is answered with its documented problem, and nothing is written', async (what, method, path, body, status, code) => {
    const before = await running.admin.events(own('t'));
    expect(await problem(method, path, body)).toEqual([status, code]);
    const after = await running.admin.events(own('t'));
    expect(after.filter(({ eventType }) => eventType !== 'CommandRefused')).toEqual(
      before.filter(({ eventType }) => eventType !== 'CommandRefused'),
    );
    expect(after.length - before.length, 'only what reaches a task is in its history').toBe(what === 'a task that exists' ? 1 : 0);
  });

  test('no, bad and foreign credentials are 401', async () => {
    for (const key of [null, 'not-the-key-of-anybody', ' ']) {
      expect(await problem('POST', TRIGGER, {}, {}, new Client(running.url, key))).toEqual([401, 'unauthenticated']);
      expect(await problem('GET', T, undefined, {}, new Client(running.url, key))).toEqual([401, 'unauthenticated']);
    }
  });

  test('another media type is 415', async () => {
    expect(await problem('POST', TRIGGER, 'a=b', { 'content-type': 'text/plain' })).toEqual([415, 'unsupported_media_type']);
  });

  test('an idempotency key that can’t be honoured refuses the request', async () => {
    for (const key of ['', 'k'.repeat(256), 'caf\u00e9'])
      expect(await problem('POST', TRIGGER, {}, { 'idempotency-key': key })).toEqual([400, 'invalid_request']);
    expect(await running.admin.events(own('t'))).toHaveLength(2);
    expect(await running.admin.task(own('t'))).toMatchObject({ status: 'Draft' });
  });

  test('literal private targets are refused unless allowed', async () => {
    const strict = await start(profile, { RETRIGGER_ALLOW_PRIVATE_TARGETS: 'false' });
    try {
      for (const host of ['127.0.0.1', '0x7f000001', '2130706433', '[::1]', '169.254.169.254', '10.0.0.1', '[::ffff:10.0.0.1]']) {
        const { status, json } = await strict.admin.post('/tasks', create({ target: { url: `http://${host}/` } }));
        expect([host, status, json.code]).toEqual([host, 400, 'invalid_request']);
      }
      await strict.admin.create(own('public'), { target: { url: 'https://example.com/hook' } });
    } finally {
      await strict.stop();
    }
  });
});
