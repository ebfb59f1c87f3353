import { expect, test } from 'vitest';
import type { Told } from './asking.ts';
import type { Call } from './calls.ts';
import { complaints } from './judge.ts';
import type { Part } from './stated.ts';

const CREATE: Call = { operation: 'POST /api/v1/tasks', method: 'POST', path: '/api/v1/tasks', key: 'k', usual: 201 };
const READY: Call = { operation: 'GET /readyz', method: 'GET', path: '/readyz', usual: 200 };
const told = (more: Partial<Told>): Told => ({
  ...{ status: 503, code: 'unavailable', isPending: false, retryAfter: '1', commandId: 'c', tookMs: 20, text: '{}' },
  ...more,
});
const wrong = (call: Call, part: Part, more: Partial<Told>): number => complaints(call, told(more), part, [part]).length;

test('takes what the table promises', () => {
  expect(wrong(CREATE, 'kafka', {})).toBe(0);
  expect(wrong(CREATE, 'redis', { status: 201, code: '' })).toBe(0);
  expect(wrong(CREATE, 'workers', { status: 202, code: '', isPending: true })).toBe(0);
  expect(wrong(READY, 'mongodb', { commandId: null, text: '{"dependencies":{"mongodb":"down","kafka":"up"}}' })).toBe(0);
});

test.each<[string, Call, Part, Partial<Told>]>([
  ['another status', CREATE, 'kafka', { status: 500 }],
  ['another code', CREATE, 'kafka', { code: 'overloaded' }],
  ['a refusal of what goes on', CREATE, 'redis', {}],
  ['a success that can’t be', CREATE, 'mongodb', { status: 201, code: '' }],
  ['an undecided answer for a decided one', CREATE, 'redis', { status: 201, code: '', isPending: true }],
  ['a decided answer for an undecided one', CREATE, 'workers', { status: 202, code: '' }],
  ['no answer', CREATE, 'kafka', { status: 0, code: 'TimeoutError' }],
  ['a late answer', CREATE, 'kafka', { tookMs: 10_001 }],
  ['no Retry-After', CREATE, 'kafka', { retryAfter: null }],
  ['no name of the command', CREATE, 'kafka', { commandId: null }],
  ['readiness that names another server', READY, 'mongodb', { text: '{"dependencies":{"mongodb":"up","kafka":"down"}}' }],
  ['readiness that is good', READY, 'mongodb', { status: 200, code: '', text: '{"data":{"dependencies":{"mongodb":"up"}}}' }],
])('complains of %s', (_what, call, part, more) => {
  expect(wrong(call, part, more)).toBe(1);
});
