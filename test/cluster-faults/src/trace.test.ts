import { startTarget } from '@retrigger/test-acceptance/target.ts';
import { eventually } from '@retrigger/test-gateway/eventually.ts';
import { afterEach, expect, test } from 'vitest';
import { Installation } from './installation.ts';
import { type Span, startOtlpReceiver } from './otlp-receiver.ts';
import { eventsTopic } from './recording.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const CALLER = 'b7ad6b7169203331';

const endings: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

test('one trace goes from the HTTP request through Kafka to the stored events and the call of the target, over three processes', async () => {
  const receiver = await startOtlpReceiver();
  endings.push(receiver.stop);
  const target = await startTarget(() => ({ status: 200, body: '{}' }));
  endings.push(target.stop);
  const installation = await Installation.fresh(receiver.settings);
  endings.push(() => installation.end());
  const others = [installation.start('worker'), installation.start('dispatcher')];
  const door = await installation.door();
  await Promise.all(others.map(({ ready }) => ready));

  await door.send('POST', '/api/v1/tasks', { taskId: 't', type: 'job', target: { url: target.url } }, undefined, { prefer: 'wait=60' });
  const traceparent = `00-${TRACE}-${CALLER}-01`;
  expect((await door.send('POST', '/api/v1/tasks/t/trigger', {}, undefined, { traceparent })).status).toBe(202);
  await eventually('t is Completed', async () => (await door.task('t')).status === 'Completed');

  const named = (name: string): Span[] => receiver.spans.filter((span) => span.name === name && span.traceId === TRACE);
  const names = [
    'http POST /api/v1/tasks/{taskId}/trigger',
    'decide TriggerTask',
    'call target',
    'decide StartExecution',
    'decide CompleteExecution',
  ];
  await eventually('all spans have come', async () => names.every((name) => named(name).length === 1));
  const [http, decided, call, started, completed] = names.map((name) => named(name)[0]);
  expect([http?.service, http?.parentSpanId]).toEqual(['retrigger-gateway', CALLER]);
  expect([decided?.service, decided?.parentSpanId]).toEqual(['retrigger-worker', http?.spanId]);
  expect([call?.service, call?.parentSpanId]).toEqual(['retrigger-dispatcher', http?.spanId]);
  for (const report of [started, completed]) expect([report?.service, report?.parentSpanId]).toEqual(['retrigger-worker', call?.spanId]);

  const ofRequest = `00-${TRACE}-${http?.spanId}-01`;
  const ofCall = `00-${TRACE}-${call?.spanId}-01`;
  expect(target.calls.map(({ headers }) => headers.traceparent)).toEqual([ofCall]);
  const stored = (await door.events('t')).slice(1);
  expect(stored.map((event) => [event.eventType, event.traceparent])).toEqual([
    ['TaskTriggered', ofRequest],
    ['TaskStarted', ofCall],
    ['TaskCompleted', ofCall],
  ]);
  expect((await eventsTopic(installation.settings.RETRIGGER_KAFKA_PREFIX)).slice(1)).toEqual(stored);
});
