import { InMemorySpanExporter } from '@opentelemetry/sdk-trace';
import { startTelemetry, type Telemetry, type TelemetryOptions } from '@retrigger/telemetry/telemetry.ts';
import { afterEach, expect, test } from 'vitest';
import { collectLines } from './lines.ts';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const SAMPLED = `00-${TRACE_ID}-b7ad6b7169203331-01`;
const W3C = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

let telemetry: Telemetry | undefined;
afterEach(() => telemetry?.stop());

async function start(options: Partial<TelemetryOptions> = {}) {
  const lines = collectLines();
  telemetry = await startTelemetry({ service: 'test', version: '0.0.0', logLevel: 'info', exportSpans: false, logTo: lines, ...options });
  return { observer: telemetry.observer, lines };
}

async function onlySpan(exporter: InMemorySpanExporter) {
  await expect.poll(() => exporter.getFinishedSpans().length, { timeout: 20_000 }).toBe(1);
  return exporter.getFinishedSpans()[0];
}

test('without an exporter a trace context goes through as it came', async () => {
  const { observer } = await start();
  expect(await observer.span('call', SAMPLED, {}, async (traceparent) => traceparent)).toBe(SAMPLED);
});

test('without an exporter work that has no trace context gets valid ids of its own, not sampled', async () => {
  const { observer } = await start();
  const seen = await Promise.all([undefined, 'not a traceparent'].map((given) => observer.span('call', given, {}, async (own) => own)));
  for (const traceparent of seen) expect(traceparent).toMatch(W3C);
  expect(seen[0]).not.toBe(seen[1]);
  expect(seen[0]?.endsWith('-00')).toBe(true);
});

test('an exported span continues the trace it was given and hands on its own id', async () => {
  const spanExporter = new InMemorySpanExporter();
  const { observer } = await start({ spanExporter });
  const own = await observer.span('call', SAMPLED, { attempt: 2, nothing: null }, async (traceparent) => traceparent);
  const span = await onlySpan(spanExporter);
  expect(span?.spanContext().traceId).toBe(TRACE_ID);
  expect(span?.parentSpanContext?.spanId).toBe('b7ad6b7169203331');
  expect(span?.attributes).toEqual({ attempt: 2 });
  expect(own).toBe(`00-${TRACE_ID}-${span?.spanContext().spanId}-01`);
});

test('an exported span follows a caller that does not sample', async () => {
  const spanExporter = new InMemorySpanExporter();
  const { observer } = await start({ spanExporter });
  await observer.span('unsampled', SAMPLED.replace(/01$/, '00'), {}, async () => {});
  await observer.span('sampled', SAMPLED, {}, async () => {});
  expect((await onlySpan(spanExporter))?.name).toBe('sampled');
});

test('a span whose work fails is ended, marked, and lets the error through', async () => {
  const spanExporter = new InMemorySpanExporter();
  const { observer } = await start({ spanExporter });
  const failing = observer.span('call', undefined, {}, async () => {
    throw new TypeError('Bearer abc');
  });
  await expect(failing).rejects.toThrow(TypeError);
  expect((await onlySpan(spanExporter))?.status).toEqual({ code: 2, message: 'TypeError' });
});

test('a span told afterwards has the times it was given', async () => {
  const spanExporter = new InMemorySpanExporter();
  const { observer } = await start({ spanExporter });
  observer.traced('decide', SAMPLED, {}, 1_700_000_000_000, 1_700_000_000_250);
  const span = await onlySpan(spanExporter);
  expect(span?.startTime).toEqual([1_700_000_000, 0]);
  expect(span?.endTime).toEqual([1_700_000_000, 250_000_000]);
});

test('a log line inside a span carries its ids, one outside carries none', async () => {
  const { observer, lines } = await start();
  await observer.span('call', SAMPLED, {}, async () => {
    await Promise.resolve();
    observer.log('info', 'inside');
  });
  expect(lines.last()).toMatchObject({ msg: 'inside', level: 'info', service: 'test', traceId: TRACE_ID, spanId: 'b7ad6b7169203331' });
  observer.log('warn', 'outside');
  expect(lines.last()).not.toHaveProperty('traceId');
});

test('a level below the one that was asked for writes nothing', async () => {
  const { observer, lines } = await start({ logLevel: 'warn' });
  observer.log('info', 'unheard');
  expect(lines.count()).toBe(0);
});

test('secrets are cut out of fields and messages', async () => {
  const { observer, lines } = await start();
  const secrets = ['c2VjcmV0LXNlY3JldC1zZWNyZXQ=', 'abcdefghijklmnop', 'hunter2'] as const;
  observer.log('info', `signed with whsec_${secrets[0]} for Bearer ${secrets[1]}`, {
    authorization: secrets[1],
    Authorization: secrets[1],
    apiKey: `rtk_${secrets[1]}`,
    'api-key': secrets[1],
    signingSecret: secrets[2],
    serverSecret: secrets[2],
    cookie: secrets[2],
    error: `connect https://user:${secrets[2]}@example.com failed, sent Bearer ${secrets[1]}`,
    key: 'tenant/task-1',
  });
  for (const secret of secrets) expect(lines.text()).not.toContain(secret);
  expect(lines.last()).toMatchObject({ key: 'tenant/task-1', authorization: '[redacted]' });
});
