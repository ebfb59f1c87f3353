import type { JsonObject } from '@retrigger/domain/json.ts';
import { afterEach, expect, test } from 'vitest';
import { embeddedLog } from './embedded-log.ts';
import { lastExecution, script, told } from './script.ts';
import { signed } from './signed-record.ts';
import { OFF, World, type WorldLog } from './world.ts';

const sameOf = (problem: JsonObject | undefined) =>
  JSON.parse(JSON.stringify({ ...problem, instance: '' }).replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'INSTANT'));

let worlds: { http: World; kafka: World };
async function start(logOf: () => Promise<WorldLog | undefined>): Promise<void> {
  worlds = { http: new World(OFF, await logOf()), kafka: new World(OFF, await logOf()) };
  for (const world of Object.values(worlds)) {
    await world.startWorker();
    await world.openDoor();
  }
}
afterEach(async () => {
  for (const world of Object.values(worlds)) await world.end();
});

const executionOf = async (world: World, taskId: string) => lastExecution(await world.history(`acme/${taskId}`));

const inMemory = async () => undefined;

test.each([
  ['JSON', 'memory', inMemory],
  ['Avro', 'memory', inMemory],
  ['JSON', 'the embedded log', embeddedLog],
])('a table of commands leads to the same events and outcomes through both doors, as %s through %s', async (encoding, _, logOf) => {
  await start(logOf);
  const avro = encoding === 'Avro';
  const { http, kafka } = worlds;
  for (const [n, { type, method, path, taskId, body, execution, as = 'ann' }] of script('a', 'b').entries()) {
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
    const events = told(await kafka.history(key), 'a', 'b');
    expect(events.length).toBeGreaterThanOrEqual(5);
    expect(events).toEqual(told(await http.history(key), 'a', 'b'));
  }
});

test('what only the door can say is the same too', async () => {
  await start(inMemory);
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
