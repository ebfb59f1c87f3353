import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { SchemaRegistry } from '@kafkajs/confluent-schema-registry';
import { startTarget } from '@retrigger/test-faults/target.ts';
import { eventually } from '@retrigger/test-gateway/eventually.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Installation } from './installation.ts';

type Fetched = { key: string; headers: string; value: Buffer };

let installation: Installation;
let target: Awaited<ReturnType<typeof startTarget>>;
beforeEach(async () => {
  installation = await Installation.fresh();
  target = await startTarget();
});
afterEach(async () => {
  await installation.end();
  await target.stop();
});

/** All records of a topic, as kcat reads them. */
async function fetchedByKcat(brokers: string, topic: string): Promise<Fetched[]> {
  const args = ['-b', brokers, '-C', '-t', topic, '-o', 'beginning', '-e', '-q', '-f', '%k\n%h\n%S\n%s'];
  const { stdout } = await promisify(execFile)('kcat', args, { encoding: 'buffer', maxBuffer: 16 * 1024 * 1024 });
  const fetched: Fetched[] = [];
  let at = 0;
  const line = (): string => {
    const end = stdout.indexOf('\n', at);
    const text = stdout.toString('utf8', at, end);
    at = end + 1;
    return text;
  };
  while (at < stdout.length) {
    const [key, headers, size] = [line(), line(), Number(line())];
    fetched.push({ key, headers, value: stdout.subarray(at, at + size) });
    at += size;
  }
  return fetched;
}

test('kcat reads the events topic, and a registry client of somebody else decodes what the API shows', async () => {
  const workers = [installation.startWorker(), installation.start('dispatcher')];
  const door = await installation.door();
  await Promise.all(workers.map(({ ready }) => ready));
  const ids = ['a', 'b', 'c'];
  const patient = { prefer: 'wait=60' };
  for (const taskId of ids) {
    await door.send('POST', '/api/v1/tasks', { taskId, type: 'job', target: { url: target.url } }, undefined, patient);
    await door.send('POST', `/api/v1/tasks/${taskId}/trigger`, { context: { nested: { é: [1, 2.5, null] } } }, undefined, patient);
    await door.send('POST', `/api/v1/tasks/${taskId}/trigger`, undefined, undefined, patient);
    await eventually(`${taskId} is Completed`, async () => (await door.task(taskId)).status === 'Completed');
  }
  const { RETRIGGER_KAFKA_BROKERS: brokers = '', RETRIGGER_SCHEMA_REGISTRY_URL: host = '', RETRIGGER_KAFKA_PREFIX } = installation.settings;
  const fetched = await fetchedByKcat(brokers, `${RETRIGGER_KAFKA_PREFIX}retrigger.events`);
  const registry = new SchemaRegistry({ host });
  for (const taskId of ids) {
    const events = await door.events(taskId);
    expect(events.length).toBeGreaterThanOrEqual(5);
    const records = fetched.filter(({ key }) => key === `default/${taskId}`);
    const decoded = await Promise.all(records.map(({ value }) => registry.decode(value)));
    expect(
      decoded.map(({ timestamp, metadata, traceparent, sealed, ...event }) => ({
        ...event,
        ...(traceparent === null ? {} : { traceparent }),
        ...(sealed === null ? {} : { sealed: JSON.parse(sealed) }),
        timestamp: new Date(timestamp).toISOString(),
        metadata: JSON.parse(metadata),
        actor: { ...event.actor },
      })),
    ).toEqual(events);
    for (const [i, { headers }] of records.entries()) {
      expect(headers).toContain(`eventType=${events[i]?.eventType}`);
      expect(headers).toContain(`commandId=${events[i]?.commandId}`);
    }
  }
});
