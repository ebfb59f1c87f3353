import { readFile } from 'node:fs/promises';
import { type Client, createClient } from '@retrigger/client/client.ts';
import { EVENT_TYPES } from '@retrigger/client/types.ts';
import { EVENT_TYPES as CONTRACT_TYPES } from '@retrigger/contract/event-schema.ts';
import { expect, test } from 'vitest';
import { scriptedGateway, success } from './scripted-gateway.ts';

type Document = { paths: { [path: string]: { [method: string]: object } } };

const document = JSON.parse(await readFile(new URL('../../../schemas/openapi.json', import.meta.url), 'utf8')) as Document;

/** What is for monitoring and for browsers. */
const NOT_FOR_PROGRAMS = ['GET /healthz', 'GET /metrics', 'GET /openapi.json', 'GET /docs', 'GET /docs/{file}'];

const described = Object.entries(document.paths)
  .flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`))
  .filter((call) => !NOT_FOR_PROGRAMS.includes(call));

/** The described call that a request is. */
function callOf(method: string, url: string): string {
  const { pathname } = new URL(url, 'http://gateway');
  const fits = (path: string) => new RegExp(`^${path.replaceAll(/\{\w+\}/g, 'in-path')}$`).test(pathname);
  return described.find((call) => call.startsWith(`${method} `) && fits(call.slice(method.length + 1))) ?? `${method} ${pathname}`;
}

/** One call of each method. */
const CALLS: { [method in keyof Client]: (client: Client) => Promise<unknown> } = {
  createTask: (client) => client.createTask({ type: 'job' }),
  changeTask: (client) => client.changeTask('in-path', {}),
  trigger: (client) => client.trigger('in-path'),
  reschedule: (client) => client.reschedule('in-path', { strategy: 'immediate' }),
  bulkTrigger: (client) => client.bulkTrigger({ tasks: [{ taskId: 't' }] }),
  bulkReschedule: (client) => client.bulkReschedule({ filter: { type: 'job' }, schedule: { strategy: 'immediate' } }),
  cancel: (client) => client.cancel('in-path'),
  task: (client) => client.task('in-path'),
  tasks: (client) => client.tasks(),
  events: (client) => client.events('in-path'),
  event: (client) => client.event('in-path', 'in-path'),
  tenantEvents: (client) => client.tenantEvents(),
  eventStream: (client) =>
    client
      .eventStream()
      .next()
      .catch(() => {}), // what answers here is no stream
  verify: (client) => client.verify('in-path'),
  diff: (client) => client.diff('in-path'),
  command: (client) => client.command('in-path'),
  readiness: (client) => client.readiness(),
  claim: (client) => client.claim({ types: ['job'] }),
  createApiKey: (client) => client.createApiKey({ userId: 'bob', roles: ['viewer'] }),
  apiKeys: (client) => client.apiKeys(),
  revokeApiKey: (client) => client.revokeApiKey('in-path'),
  settings: (client) => client.settings(),
  changeSettings: (client) => client.changeSettings({}),
  subscribe: (client) => client.subscribe({ channel: 'email', to: 'ann@example.org' }),
  subscriptions: (client) => client.subscriptions(),
  unsubscribe: (client) => client.unsubscribe('in-path'),
  testSubscription: (client) => client.testSubscription('in-path'),
  deadLetters: (client) => client.deadLetters(),
  redrive: (client) => client.redrive('in-path'),
  drop: (client) => client.drop('in-path', 'it is of no use'),
  erase: (client) => client.erase({ userId: 'bob' }),
  started: (client) => client.started('in-path'),
  heartbeat: (client) => client.heartbeat('in-path'),
  completed: (client) => client.completed('in-path'),
  failed: (client) => client.failed('in-path', { error: 'it broke' }),
};

test('every call of the OpenAPI document is a method of the client, and the other way round', async () => {
  const gateway = await scriptedGateway(success([]));
  const client = createClient({ url: gateway.url, key: 'k' });
  expect(Object.keys(CALLS).toSorted()).toEqual(Object.keys(client).toSorted());
  for (const call of Object.values(CALLS)) await call(client);
  await gateway.stop();
  const made = gateway.got.map(({ method, url }) => callOf(method, url));
  expect(made.toSorted()).toEqual(described.toSorted());
});

test('it knows every type of event', () => {
  expect(EVENT_TYPES).toEqual(CONTRACT_TYPES);
});
