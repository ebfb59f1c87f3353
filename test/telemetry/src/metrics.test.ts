import type { Counters, Gauges, Histograms } from '@retrigger/ports/observer.ts';
import { COUNTERS, GAUGES, HISTOGRAMS } from '@retrigger/telemetry/instruments.ts';
import { startMetrics } from '@retrigger/telemetry/metrics.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';

let metrics: ReturnType<typeof startMetrics>;
beforeEach(() => {
  metrics = startMetrics('test', '0.0.0');
});
afterEach(() => metrics.stop());

test('every instrument appears under the name that the port gives it', async () => {
  for (const name of Object.keys(COUNTERS) as (keyof Counters)[]) metrics.count(name, {} as never);
  for (const name of Object.keys(HISTOGRAMS) as (keyof Histograms)[]) metrics.measure(name, 0.01, {} as never);
  for (const name of Object.keys(GAUGES) as Gauges[]) metrics.gauge(name, () => 7);
  const text = await metrics.prometheus();
  for (const name of Object.keys(COUNTERS)) expect(text).toContain(`# TYPE ${name} counter`);
  for (const name of Object.keys(HISTOGRAMS)) expect(text).toContain(`# TYPE ${name} histogram`);
  for (const name of Object.keys(GAUGES)) expect(text).toMatch(new RegExp(`^${name} 7$`, 'm'));
});

test('each counter and histogram is named before anything was counted or measured, and what has no labels is 0', async () => {
  const text = await metrics.prometheus();
  for (const name of Object.keys(COUNTERS)) expect(text.split(`# TYPE ${name} counter\n`)).toHaveLength(2);
  for (const name of Object.keys(HISTOGRAMS)) expect(text.split(`# TYPE ${name} histogram\n`)).toHaveLength(2);
  expect(text).toMatch(/^dependency_refusals_total 0$/m);
  expect(text.endsWith('\n')).toBe(true);
  metrics.measure('wake_up_lag_seconds', 0.01, {});
  expect((await metrics.prometheus()).split('# TYPE wake_up_lag_seconds histogram\n')).toHaveLength(2);
});

test('counts add up by their labels', async () => {
  metrics.count('triggers_total', { outcome: 'accepted' });
  metrics.count('triggers_total', { outcome: 'accepted' }, 4);
  metrics.count('triggers_total', { outcome: 'forbidden' });
  const text = await metrics.prometheus();
  expect(text).toContain('triggers_total{outcome="accepted"} 5');
  expect(text).toContain('triggers_total{outcome="forbidden"} 1');
});

test('a histogram tells durations between half a millisecond and a minute apart', async () => {
  for (const seconds of [0.0004, 0.02, 59, 61]) metrics.measure('target_call_seconds', seconds, {});
  const text = await metrics.prometheus();
  expect(text).toContain('target_call_seconds_bucket{le="0.0005"} 1');
  expect(text).toContain('target_call_seconds_bucket{le="0.02"} 2');
  expect(text).toContain('target_call_seconds_bucket{le="60"} 3');
  expect(text).toContain('target_call_seconds_bucket{le="+Inf"} 4');
});

test('no label names a tenant, a task or a user', async () => {
  metrics.count('events_total', { type: 'TaskTriggered' });
  metrics.count('target_calls_total', { outcome: 'completed' });
  metrics.measure('http_request_seconds', 0.1, { route: '/api/v1/tasks/{taskId}', status: '200' });
  const labels = [...(await metrics.prometheus()).matchAll(/[{,]([a-z_]+)="/g)].map(([, label]) => label ?? '');
  expect([...new Set(labels)].filter((label) => /tenant|task|user|actor|owner|key|command_?id/i.test(label))).toEqual([]);
});

test('a gauge whose read fails leaves the others standing', async () => {
  metrics.gauge('work_lag_records', () => {
    throw new Error('the log is away');
  });
  metrics.gauge('commands_in_flight', async () => 3);
  const text = await metrics.prometheus();
  expect(text).not.toMatch(/^work_lag_records/m);
  expect(text).toMatch(/^commands_in_flight 3$/m);
});

test('a gauge whose read never ends is left out, and keeps the others waiting for seconds only', async () => {
  metrics.gauge('work_lag_records', () => new Promise(() => {}));
  metrics.gauge('commands_in_flight', async () => 3);
  const startedAt = performance.now();
  const text = await metrics.prometheus();
  expect(performance.now() - startedAt).toBeLessThan(4_000);
  expect(text).not.toMatch(/^work_lag_records/m);
  expect(text).toMatch(/^commands_in_flight 3$/m);
});

test('a count and a measurement cost microseconds of processor time', () => {
  const each = (run: () => void) => {
    for (let i = 0; i < 10_000; i++) run();
    const begin = process.cpuUsage();
    for (let i = 0; i < 100_000; i++) run();
    const { user, system } = process.cpuUsage(begin);
    return (user + system) / 100_000; // µs each
  };
  expect(each(() => metrics.count('commands_total', { type: 'TriggerTask', outcome: 'accepted' }))).toBeLessThan(5);
  expect(each(() => metrics.measure('command_latency_seconds', 0.01, { type: 'TriggerTask' }))).toBeLessThan(5);
});
