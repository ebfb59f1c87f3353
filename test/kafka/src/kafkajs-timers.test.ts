import { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import { mendTimers } from '@retrigger/kafka/kafkajs-timers.ts';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

const required = createRequire(import.meta.resolve('@retrigger/kafka/kafkajs-timers.ts'));
const RequestQueue = required('kafkajs/src/network/requestQueue/index.js');
const ConsumerGroup = required('kafkajs/src/consumer/consumerGroup.js');

const logger = { debug() {}, warn() {}, namespace: () => logger };
const MINUTES_MS = 300_000;

/** Sets the calendar, and no timer, off by so much. */
const setCalendar = (byMs: number) => {
  const now = Date.now.bind(Date);
  vi.spyOn(Date, 'now').mockImplementation(() => now() + byMs);
};

beforeEach(() => mendTimers(() => Date.now()));
afterEach(() => void vi.restoreAllMocks());

/** A queue of a connection that answers nothing. */
function queueOf(requestTimeout: number) {
  const queue = new RequestQueue({
    ...{ maxInFlightRequests: null, requestTimeout, enforceRequestTimeout: true },
    clientId: 'c',
    broker: 'b',
    logger,
  });
  queue.scheduleRequestTimeoutCheck();
  const outcome = new Promise<string>((resolve, reject) => {
    const entry = { correlationId: 1, apiName: 'Produce', apiKey: 0, apiVersion: 7, resolve, reject: ({ name }: Error) => resolve(name) };
    queue.push({ entry, expectResponse: true, sendRequest() {}, requestTimeout });
    queue.on('error', reject);
  });
  return { queue, outcome, answer: () => queue.fulfillRequest({ correlationId: 1, payload: Buffer.alloc(0), size: 0 }) };
}

test('K2: a request whose answer never comes times out, also when the calendar was set back meanwhile', async () => {
  const { queue, outcome } = queueOf(150);
  setCalendar(-MINUTES_MS);
  expect(await outcome).toBe('KafkaJSRequestTimeoutError');
  queue.destroy();
});

test('K2: a calendar that was set ahead times nothing out', async () => {
  const { queue, outcome, answer } = queueOf(30_000);
  setCalendar(MINUTES_MS);
  await vi.waitUntil(() => looks(queue) >= 3, { timeout: 20_000 });
  answer();
  expect(await outcome).toMatchObject({ correlationId: 1 });
  queue.destroy();
});

/** How often a queue has looked at what is under way. */
const looked = new WeakMap<object, number>();
function looks(queue: { isConnected(): boolean }): number {
  if (!looked.has(queue)) {
    looked.set(queue, 0);
    queue.isConnected = () => {
      looked.set(queue, (looked.get(queue) ?? 0) + 1);
      return true;
    };
  }
  return looked.get(queue) ?? 0;
}

function groupMember() {
  const heard: string[] = [];
  const group = new ConsumerGroup({ logger, retry: {}, instrumentationEmitter: new EventEmitter() });
  Object.assign(group, {
    memberId: 'm',
    generationId: 1,
    coordinator: { heartbeat: async ({ memberId }: { memberId: string }) => heard.push(memberId) },
  });
  return { group, heard };
}

test('K3: a member goes on with its heartbeats when the calendar was set back', async () => {
  const { group, heard } = groupMember();
  setCalendar(-MINUTES_MS);
  await group.heartbeat({ interval: 1_000 });
  expect(heard).toEqual(['m']);
});

test('K3: a heartbeat goes when one is due, and no sooner', async () => {
  const { group, heard } = groupMember();
  await group.heartbeat({ interval: 60_000 });
  expect(heard).toEqual([]);
  setCalendar(60_000);
  await group.heartbeat({ interval: 60_000 });
  await group.heartbeat({ interval: 60_000 });
  expect(heard).toEqual(['m']);
});
