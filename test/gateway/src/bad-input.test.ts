import { MAX_DATA_BYTES } from '@retrigger/contract/fields.ts';
import { MAX_BODY_BYTES } from '@retrigger/contract/strict-json.ts';
import { deriveExecutionId } from '@retrigger/domain/identifiers.ts';
import { beforeEach, describe, expect, test } from 'vitest';
import { type Asked, type Door, startDoor } from './door.ts';

const TASKS = '/api/v1/tasks';
const TRIGGER = '/api/v1/tasks/t/trigger';
const EVENTS = '/api/v1/tasks/t/events';
const EXECUTION = `/api/v1/executions/${deriveExecutionId('t', 'default/t', 'c', 1)}`;
const post = (body?: unknown, headers?: { [name: string]: string }): Asked => ({
  method: 'POST',
  ...(body === undefined ? {} : { body }),
  ...(headers === undefined ? {} : { headers }),
});
const raw = (text: string | Uint8Array<ArrayBuffer>, headers: { [name: string]: string } = {}): Asked => ({
  method: 'POST',
  raw: text,
  headers,
});
const create = (more: object): Asked => post({ type: 'job', ...more });
const target = (more: object): Asked => create({ target: { url: 'https://example.com/hook', ...more } });
const COMPARED = 'conditions.outcome.result';
const TOO_LARGE = 'x'.repeat(MAX_DATA_BYTES);
const comparing = (path: string, equals: unknown): Asked =>
  post({ conditions: { outcome: { taskId: 't', status: 'Completed', result: { path, equals } } } });

/** What is sent, the status and code that answer it, and the path of what is wrong (null = the problem names none). */
const TABLE: [string, string, Asked, number, string, string | null][] = [
  ['no key', TRIGGER, { ...post(), as: null }, 401, 'unauthenticated', null],
  ['a wrong key', TRIGGER, { ...post(), as: null, headers: { authorization: 'Bearer nonsense' } }, 401, 'unauthenticated', null],
  ['another scheme', TRIGGER, { ...post(), as: null, headers: { authorization: 'Basic YTpi' } }, 401, 'unauthenticated', null],
  ['a role that may not read', EVENTS, { as: 'executor' }, 403, 'forbidden', null],
  ['malformed JSON', TRIGGER, raw('{"a":'), 400, 'invalid_request', ''],
  ['no UTF-8', TRIGGER, raw(new Uint8Array([0x7b, 0xff, 0x7d])), 400, 'invalid_request', ''],
  ['a list as body', TRIGGER, post([]), 400, 'invalid_request', ''],
  ['a null body', TRIGGER, raw('null'), 400, 'invalid_request', ''],
  ['an unknown field', TRIGGER, post({ triggerreason: 'x' }), 400, 'invalid_request', 'triggerreason'],
  ['__proto__', TRIGGER, raw('{"__proto__":{}}'), 400, 'invalid_request', '__proto__'],
  ['__proto__ inside', TRIGGER, raw('{"context":{"a":[{"__proto__":1}]}}'), 400, 'invalid_request', 'context.a[0].__proto__'],
  ['a wrong type', TRIGGER, post({ triggerReason: 5 }), 400, 'invalid_request', 'triggerReason'],
  ['a null field', TRIGGER, post({ context: null }), 400, 'invalid_request', 'context'],
  ['a context that is a list', TRIGGER, post({ context: [] }), 400, 'invalid_request', 'context'],
  ['33 levels', TRIGGER, raw(`{"context":${'{"a":'.repeat(31)}{}${'}'.repeat(31)}}`), 400, 'invalid_request', `context${'.a'.repeat(31)}`],
  ['over 1 MiB', TRIGGER, raw(`{"a":"${'x'.repeat(MAX_BODY_BYTES)}"}`), 413, 'payload_too_large', null],
  ['a result to compare with over 256 KiB', TRIGGER, comparing('/a', TOO_LARGE), 413, 'payload_too_large', `${COMPARED}.equals`],
  ['a pointer over 256 KiB', TRIGGER, comparing(`/${TOO_LARGE}`, 1), 413, 'payload_too_large', `${COMPARED}.path`],
  ['a context over 256 KiB', TRIGGER, post({ context: { a: 'x'.repeat(MAX_DATA_BYTES) } }), 413, 'payload_too_large', 'context'],
  ['a form', TRIGGER, raw('a=b', { 'content-type': 'application/x-www-form-urlencoded' }), 415, 'unsupported_media_type', null],
  ['another charset', TRIGGER, raw('{}', { 'content-type': 'application/json; charset=utf-16' }), 415, 'unsupported_media_type', null],
  ['a compressed body', TRIGGER, raw('{}', { 'content-encoding': 'gzip' }), 415, 'unsupported_media_type', null],
  ['a query parameter', `${TRIGGER}?dryrun=true`, post(), 400, 'invalid_request', 'dryrun'],
  ['a task id with a slash', '/api/v1/tasks/a%2Fb/trigger', post(), 400, 'invalid_request', 'taskId'],
  ['a task id that is too long', `/api/v1/tasks/${'a'.repeat(129)}`, {}, 400, 'invalid_request', 'taskId'],
  ['bulk as a task id', '/api/v1/tasks/bulk', {}, 400, 'invalid_request', 'taskId'],
  ['an empty key', TRIGGER, post({}, { 'idempotency-key': '' }), 400, 'invalid_request', 'Idempotency-Key'],
  ['a key that is too long', TRIGGER, post({}, { 'idempotency-key': 'k'.repeat(256) }), 400, 'invalid_request', 'Idempotency-Key'],
  ['a key beyond ASCII', TRIGGER, post({}, { 'x-idempotency-key': 'caf\u00e9' }), 400, 'invalid_request', 'Idempotency-Key'],
  [
    'two different keys',
    TRIGGER,
    post({}, { 'idempotency-key': 'a', 'x-idempotency-key': 'b' }),
    400,
    'invalid_request',
    'Idempotency-Key',
  ],
  ['no type', TASKS, post({}), 400, 'invalid_request', 'type'],
  ['bulk as a new task’s id', TASKS, create({ taskId: 'bulk' }), 400, 'invalid_request', 'taskId'],
  ['a new task’s id with a space', TASKS, create({ taskId: 'a b' }), 400, 'invalid_request', 'taskId'],
  ['a dependency that does not exist', TASKS, create({ dependencies: ['nowhere'] }), 400, 'invalid_request', 'dependencies[0]'],
  ['a dependency of another tenant', TASKS, create({ dependencies: ['theirs'] }), 400, 'invalid_request', 'dependencies[0]'],
  ['a dependency on itself', TASKS, create({ taskId: 'x', dependencies: ['x'] }), 400, 'circular_dependency', 'dependencies[0]'],
  ['a duration that is none', TASKS, create({ deadline: '5 minutes' }), 400, 'invalid_request', 'deadline'],
  ['a deadline of nothing', TASKS, create({ deadline: '0s' }), 400, 'invalid_request', 'deadline'],
  ['half an attempt', TASKS, create({ retry: { maxAttempts: 1.5 } }), 400, 'invalid_request', 'retry.maxAttempts'],
  ['an unknown jitter', TASKS, create({ retry: { jitter: 'some' } }), 400, 'invalid_request', 'retry.jitter'],
  ['a target by FTP', TASKS, target({ url: 'ftp://example.com/' }), 400, 'invalid_request', 'target.url'],
  ['a target with a password', TASKS, target({ url: 'https://a:b@example.com/' }), 400, 'invalid_request', 'target.url'],
  ['a loopback target', TASKS, target({ url: 'http://127.0.0.1/' }), 400, 'invalid_request', 'target.url'],
  ['a loopback target in disguise', TASKS, target({ url: 'http://0x7f.1/' }), 400, 'invalid_request', 'target.url'],
  ['a mapped loopback target', TASKS, target({ url: 'http://[::ffff:127.0.0.1]/' }), 400, 'invalid_request', 'target.url'],
  ['a header of ours', TASKS, target({ headers: { Host: 'x' } }), 400, 'invalid_request', 'target.headers'],
  ['a header that splits', TASKS, target({ headers: { 'x-a': 'b\r\nc: d' } }), 400, 'invalid_request', 'target.headers.x-a'],
  ['an execution that can’t be one', '/api/v1/executions/nonsense/started', post(), 404, 'not_found', null],
  ['an error that is too long', `${EXECUTION}/failed`, post({ error: 'x'.repeat(4_097) }), 400, 'invalid_request', 'error'],
  ['no error', `${EXECUTION}/failed`, post({}), 400, 'invalid_request', 'error'],
  ['a result over 256 KiB', `${EXECUTION}/completed`, post({ result: 'x'.repeat(MAX_DATA_BYTES) }), 413, 'payload_too_large', 'result'],
  ['an unknown task', '/api/v1/tasks/nowhere', {}, 404, 'task_not_found', null],
  ['another tenant’s task', '/api/v1/tasks/theirs', {}, 404, 'task_not_found', null],
  ['the history of an unknown task', '/api/v1/tasks/nowhere/events', {}, 404, 'task_not_found', null],
  ['the history of another tenant’s task', '/api/v1/tasks/theirs/events', {}, 404, 'task_not_found', null],
  ['an event that does not exist', `${EVENTS}/nonsense`, {}, 404, 'not_found', null],
  ['a cursor that is none', `${EVENTS}?cursor=abc`, {}, 400, 'invalid_request', 'cursor'],
  ['an unknown type of event', `${EVENTS}?types=TaskCreated,TaskExploded`, {}, 400, 'invalid_request', 'types'],
  ['a day that does not exist', `${EVENTS}?from=2026-02-30`, {}, 400, 'invalid_request', 'from'],
  ['no date', `${EVENTS}?to=yesterday`, {}, 400, 'invalid_request', 'to'],
  ['an order that is none', `${EVENTS}?order=up`, {}, 400, 'invalid_request', 'order'],
  ['a page of nothing', `${EVENTS}?pageSize=0`, {}, 400, 'invalid_request', 'pageSize'],
  ['a page of too much', `${EVENTS}?pageSize=1001`, {}, 400, 'invalid_request', 'pageSize'],
  ['a parameter twice', `${EVENTS}?order=asc&order=desc`, {}, 400, 'invalid_request', 'order'],
  ['an unknown parameter', `${EVENTS}?page=2`, {}, 400, 'invalid_request', 'page'],
  ['an unknown format', `${EVENTS}?format=xml`, {}, 400, 'invalid_request', 'format'],
  ['a page of a file', `${EVENTS}?format=csv&pageSize=5`, {}, 400, 'invalid_request', 'pageSize'],
  ['a cursor in a file', `${EVENTS}?format=csv&cursor=abc`, {}, 400, 'invalid_request', 'cursor'],
  ['a status that is none', `${TASKS}?status=Sleeping`, {}, 400, 'invalid_request', 'status'],
  ['a criticality that is none', `${TASKS}?critical=yes`, {}, 400, 'invalid_request', 'critical'],
  ['a type that can’t be one', `${TASKS}?type=a%20b`, {}, 400, 'invalid_request', 'type'],
  ['an owner that can’t be one', `${TASKS}?owner=`, {}, 400, 'invalid_request', 'owner'],
  ['a page of too many tasks', `${TASKS}?pageSize=1001`, {}, 400, 'invalid_request', 'pageSize'],
  ['a cursor of no list', `${TASKS}?cursor=abc`, {}, 400, 'invalid_request', 'cursor'],
  ['an instant without a zone', '/api/v1/tasks/t?at=2026-01-01T00:00:00', {}, 400, 'invalid_request', 'at'],
  ['a verification with a parameter', `${EVENTS}/verify?deep=true`, {}, 400, 'invalid_request', 'deep'],
  ['the verification of an unknown task', '/api/v1/tasks/nowhere/events/verify', {}, 404, 'task_not_found', null],
  ['a list that may not be read', TASKS, { as: 'executor' }, 403, 'forbidden', null],
  ['an unreadable instant', '/api/v1/commands/c?accepted=now', {}, 400, 'invalid_request', 'accepted'],
  ['a command that nobody sent', '/api/v1/commands/c', {}, 404, 'not_found', null],
  ['a path that is none', '/api/v1/nothing', {}, 404, 'not_found', null],
  ['PUT on the history', EVENTS, { method: 'PUT' }, 405, 'method_not_allowed', null],
  ['GET on a trigger', TRIGGER, {}, 405, 'method_not_allowed', null],
];

describe('bad input', () => {
  let door: Door;
  beforeEach(() => {
    door = startDoor();
    door.seed('default', 't', ['TaskCreated']);
    door.seed('other', 'theirs', ['TaskCreated']);
  });

  test.each(TABLE)('%s is answered with its problem, and nothing is written', async (_, path, asked, status, code, field) => {
    const { json, headers, ...answer } = await door.ask(path, asked);
    expect([answer.status, json.code]).toEqual([status, code]);
    expect(headers.get('content-type')).toBe('application/problem+json');
    expect(json).toMatchObject({
      status,
      type: `urn:retrigger:problem:${code.replaceAll('_', '-')}`,
      title: expect.any(String),
      detail: expect.any(String),
    });
    expect(headers.get('x-request-id')).toMatch(/^fresh-/);
    const commandId = headers.get('x-command-id');
    const isChange = asked.method === 'POST';
    expect(commandId !== null).toBe(isChange);
    expect(json.instance).toBe(isChange ? `/api/v1/commands/${commandId}` : path.split('?')[0]);
    if (field === null) expect(json.errors).toBeUndefined();
    else expect(json.errors.map((error: { path: string }) => error.path)).toContain(field);
    expect(door.commands).toEqual([]);
  });

  test('every error of a body is named', async () => {
    const { json } = await door.post(TASKS, { taskId: 'a b', type: 5, extra: true, dependencies: ['ok', ''] });
    expect(json.errors.map(({ path }: { path: string }) => path).sort()).toEqual(['dependencies[1]', 'extra', 'taskId', 'type']);
  });

  test('another tenant’s task looks exactly like one that never existed', async () => {
    const theirs = await door.ask('/api/v1/tasks/theirs/events');
    const none = await door.ask('/api/v1/tasks/nobody/events');
    expect(theirs.text.replaceAll('theirs', '?')).toBe(none.text.replaceAll('nobody', '?'));
  });

  test.each([
    ['/api/v1/tasks/t/events', ['PUT', 'PATCH', 'DELETE', 'POST'], 'GET'],
    ['/api/v1/tasks/t/events/any', ['PUT', 'PATCH', 'DELETE', 'POST'], 'GET'],
    ['/api/v1/tasks/t', ['PUT', 'DELETE'], 'GET, PATCH'],
    ['/api/v1/tasks', ['PUT', 'DELETE'], 'GET, POST'],
    ['/api/v1/tasks/t/reschedule', ['GET', 'POST', 'PATCH'], 'PUT'],
    ['/api/v1/tasks/t/events/verify', ['PUT', 'PATCH', 'DELETE', 'POST'], 'GET'],
    ['/api/v1/tasks/t/trigger', ['GET', 'PUT'], 'POST'],
    ['/healthz', ['POST'], 'GET'],
  ])('%s answers %j with 405 and Allow: %s', async (path, methods, allow) => {
    for (const method of methods) {
      const { status, headers } = await door.ask(path, { method });
      expect([method, status, headers.get('allow')]).toEqual([method, 405, allow]);
    }
  });
});
