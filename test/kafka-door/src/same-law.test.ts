import type { Event } from '@retrigger/domain/event.ts';
import type { JsonObject } from '@retrigger/domain/json.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { signed, World } from './world.ts';

/** One command, as either door takes it. `execution`: the body is about the task's current one. */
type Said = { type: string; method: string; path: string; taskId: string; body: JsonObject; execution?: true; as?: string };

const onTask = (taskId: string, type: string, method: string, call: string, body: JsonObject = {}, as = 'ann'): Said => ({
  ...{ type, method, taskId, body, as },
  path: `/api/v1/tasks/${taskId}${call}`,
});
const report = (taskId: string, type: string, call: string, body: JsonObject = {}): Said => ({
  ...{ type, method: 'POST', taskId, body, execution: true },
  path: `/api/v1/executions/EXECUTION/${call}`,
});
const create = (taskId: string, body: JsonObject): Said => ({
  type: 'CreateTask',
  method: 'POST',
  path: '/api/v1/tasks',
  taskId,
  body: { taskId, ...body },
});

const SCRIPT: Said[] = [
  create('a', { type: 'job', context: { version: 1 }, retry: { maxAttempts: 2, baseDelay: '1h', jitter: 'none' } }),
  create('a', { type: 'job' }),
  create('b', { type: 'job', dependencies: ['a'], schedule: { strategy: 'conditional', conditions: { dependenciesComplete: true } } }),
  onTask('a', 'ChangeTask', 'PATCH', '', { critical: true, estimatedDuration: '5m' }),
  onTask('a', 'ChangeTask', 'PATCH', '', { dependencies: ['b'] }),
  onTask('a', 'TriggerTask', 'POST', '/trigger', { triggerReason: 'by hand', context: { deep: { é: [1, null] } } }),
  onTask('a', 'TriggerTask', 'POST', '/trigger'),
  report('a', 'StartExecution', 'started'),
  report('a', 'HeartbeatExecution', 'heartbeat'),
  report('a', 'FailExecution', 'failed', { error: 'no luck', retryable: true }),
  onTask('a', 'RescheduleTask', 'PUT', '/reschedule', { strategy: 'delayed', delay: '2h', reason: 'later' }),
  onTask('a', 'TriggerTask', 'POST', '/trigger', {}, 'otto'),
  onTask('a', 'TriggerTask', 'POST', '/trigger', {}, 'vera'),
  onTask('a', 'TriggerTask', 'POST', '/trigger', { conditions: { outcome: { taskId: 'b', status: 'Completed' } } }),
  onTask('a', 'TriggerTask', 'POST', '/trigger'),
  report('a', 'CompleteExecution', 'completed', { result: { ok: true } }),
  report('b', 'CompleteExecution', 'completed'),
  onTask('b', 'RescheduleTask', 'PUT', '/reschedule', { strategy: 'cron', cron: '0 6 * * *', timeZone: 'Europe/Berlin' }),
  onTask('b', 'CancelTask', 'POST', '/cancel', { reason: 'enough' }),
  onTask('nobody', 'CancelTask', 'POST', '/cancel'),
];

/** What is the same whichever way a command came: all but ids that are made of its own, hashes and instants. */
function told(events: Event[]): unknown[] {
  return events.map(({ eventId: _e, timestamp: _t, commandId: _c, correlationId: _r, hash: _h, previousHash: _p, ...event }) =>
    JSON.parse(
      JSON.stringify(event)
        .replaceAll(/\b(a|b)\.[\w-]{22}\b/g, '$1.EXECUTION')
        .replaceAll(/\brun_[\w-]{22}/g, 'RUN')
        .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'INSTANT')
        .replaceAll(/"delayApplied":"\d+ms"/g, '"delayApplied":"DELAY"')
        .replaceAll(/"(proposal|commandId)":"[\w-]{22}"/g, '"$1":"COMMAND"'),
    ),
  );
}

const sameOf = (problem: JsonObject | undefined) =>
  JSON.parse(JSON.stringify({ ...problem, instance: '' }).replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'INSTANT'));

let worlds: { http: World; kafka: World };
beforeEach(async () => {
  worlds = { http: new World(), kafka: new World() };
  for (const world of Object.values(worlds)) {
    await world.startWorker();
    await world.openDoor();
  }
});
afterEach(async () => {
  for (const world of Object.values(worlds)) await world.end();
});

async function executionOf(world: World, taskId: string): Promise<string> {
  const started = (await world.history(`acme/${taskId}`)).findLast(({ metadata }) => metadata.executionId !== undefined);
  return String(started?.metadata.executionId);
}

test.each([false, true])('a table of commands leads to the same events and outcomes through both doors (Avro: %s)', async (avro) => {
  const { http, kafka } = worlds;
  for (const [n, { type, method, path, taskId, body, execution, as = 'ann' }] of SCRIPT.entries()) {
    const httpPath = execution ? path.replace('EXECUTION', await executionOf(http, taskId)) : path;
    const answer = await http.http(method, httpPath, body, as);
    await http.decided();
    const kafkaBody = execution ? { ...body, executionId: await executionOf(kafka, taskId) } : body;
    await kafka.publish(signed({ commandId: `c-${n}`, type, taskId, body: kafkaBody }, { as, avro }));
    await kafka.decided();
    const { outcome } = await kafka.command(`c-${n}`, as);
    expect([n, outcome?.status, outcome?.body.code]).toEqual([n, answer.status, answer.json.code]);
  }
  expect(kafka.reasons()).toEqual([]);
  for (const key of ['acme/a', 'acme/b']) {
    const events = told(await kafka.history(key));
    expect(events.length).toBeGreaterThanOrEqual(5);
    expect(events).toEqual(told(await http.history(key)));
  }
});

test('what only the door can say is the same too', async () => {
  const { http, kafka } = worlds;
  const wrong: [type: string, taskId: string | null, method: string, path: string, body: JsonObject][] = [
    ['CreateTask', 'x', 'POST', '/api/v1/tasks', { taskId: 'x', type: 'job', dependencies: ['missing'] }],
    ['CreateTask', 'x', 'POST', '/api/v1/tasks', { taskId: 'x', type: 'job', target: { url: 'http://127.0.0.1/' } }],
    ['CreateTask', 'x', 'POST', '/api/v1/tasks', { taskId: 'x', type: 'job', unknown: 1 }],
    ['CreateTask', 'x', 'POST', '/api/v1/tasks', { taskId: 'x', type: 'job', context: { big: 'x'.repeat(300_000) } }],
    ['TriggerTask', 't', 'POST', '/api/v1/tasks/t/trigger', { triggerReason: 7 }],
    ['RescheduleTask', 't', 'PUT', '/api/v1/tasks/t/reschedule', { strategy: 'at', at: '2001-01-01T00:00:00.000Z' }],
    ['RescheduleTask', 't', 'PUT', '/api/v1/tasks/t/reschedule', { strategy: 'conditional', conditions: { dependenciesComplete: ['t'] } }],
  ];
  for (const [n, [type, taskId, method, path, body]] of wrong.entries()) {
    const { status, json } = await http.http(method, path, body);
    await kafka.publish(signed({ commandId: `w-${n}`, type, taskId, body }));
    await kafka.decided();
    const { state, outcome } = await kafka.command(`w-${n}`);
    expect([state, outcome?.status, sameOf(outcome?.body)]).toEqual(['refused', status, sameOf(json)]);
  }
  expect(kafka.work()).toEqual([]);
  expect(kafka.counted.filter((each) => each.startsWith('requests_refused_total'))).toHaveLength(wrong.length);
});
