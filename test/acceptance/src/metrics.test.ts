import { eventually } from '@retrigger/test-gateway/eventually.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { own } from './own.ts';
import { PROFILES, type Running, start } from './profile.ts';

const COUNTERS = ['triggers_total', 'events_total', 'dependency_refusals_total', 'commands_total', 'requests_refused_total'];
const HISTOGRAMS = ['command_latency_seconds', 'http_request_seconds', 'wake_up_lag_seconds'];
const GAUGES = ['work_lag_records', 'work_lag_seconds', 'commands_in_flight', 'body_bytes_in_memory', 'wake_up_oldest_seconds'];
/** Every label that any metric may have; none of them can hold what a tenant chose. */
const LABELS = ['code', 'le', 'outcome', 'route', 'service_name', 'service_version', 'source', 'status', 'type'];

/** What is in every name that this file chose. */
const MARK = own('').slice(1);

type Sample = { name: string; labels: { [label: string]: string }; value: number };

const samplesOf = (text: string): Sample[] =>
  [...text.matchAll(/^([a-z_:]+)(?:\{(.*)\})? (\S+)$/gim)].map(([, name = '', inner = '', value]) => ({
    name,
    labels: Object.fromEntries([...inner.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label = '', text = '']) => [label, text])),
    value: Number(value),
  }));

/** The upper bound of the bucket that holds this share of a histogram's values, over all its labels. */
function quantile(samples: Sample[], name: string, share: number): number {
  const byBound = new Map<number, number>();
  for (const { name: its, labels, value } of samples)
    if (its === `${name}_bucket`) {
      const bound = labels.le === '+Inf' ? Number.POSITIVE_INFINITY : Number(labels.le);
      byBound.set(bound, (byBound.get(bound) ?? 0) + value);
    }
  const bounds = [...byBound].sort(([a], [b]) => a - b);
  const all = bounds.at(-1)?.[1] ?? 0;
  return bounds.find(([, count]) => count >= share * all)?.[0] ?? Number.NaN;
}

describe.each(PROFILES)('metrics, %s', (profile) => {
  let running: Running;
  let text: string;
  let samples: Sample[];

  beforeAll(async () => {
    running = await start(profile, { RETRIGGER_LIMIT_TASK_PER_HOUR: '3' });
    const { admin } = running;
    const [dependency, task] = [own('dependency'), own('task')];
    await admin.create(dependency);
    await admin.create(task, { type: own('type'), dependencies: [dependency], context: { secret: own('context') } });
    const trigger = (body: object, headers?: { [name: string]: string }) => admin.post(`/tasks/${task}/trigger`, body, headers);
    expect((await trigger({ conditions: { dependenciesComplete: true } })).status).toBe(409);
    expect((await admin.patch(dependency, { dependencies: [task] })).json.code).toBe('circular_dependency');
    expect(
      (await trigger({ triggerReason: own('reason') }, { 'idempotency-key': own('key'), 'x-request-id': own('request') })).status,
    ).toBe(202);
    expect((await trigger({})).status).toBe(409);
    expect((await trigger({})).status).toBe(429);
    expect((await trigger({ [own('field')]: 1 })).status).toBe(400);
    expect((await admin.call('GET', `/${own('path')}?${own('query')}=1`)).status).toBe(404);
    await admin.create(own('due'), { schedule: { strategy: 'delayed', delay: '200ms' } });
    await admin.becomes(own('due'), 'Running');
    await eventually('the due time is counted, as the last of all', async () => {
      text = await running.metrics();
      samples = samplesOf(text);
      return sum('wake_up_lag_seconds_count') > 0;
    });
  });
  afterAll(() => running.stop());

  const sum = (name: string, labels: { [label: string]: string } = {}): number =>
    samples
      .filter((one) => one.name === name && Object.entries(labels).every(([label, value]) => one.labels[label] === value))
      .reduce((total, { value }) => total + value, 0);

  test.each([...COUNTERS, ...GAUGES])('%s is told', (name) => {
    expect(samples.some((one) => one.name === name)).toBe(true);
  });

  test('they count what happened', () => {
    expect(sum('triggers_total', { outcome: 'conditions_unmet' })).toBe(1);
    expect(sum('triggers_total', { outcome: 'task_already_running' })).toBe(1);
    expect(sum('triggers_total', { outcome: 'accepted' })).toBe(2);
    expect(sum('events_total', { type: 'TaskCreated' })).toBe(3);
    expect(sum('dependency_refusals_total'), 'unmet conditions and a cycle').toBe(2);
    expect(sum('requests_refused_total', { code: 'rate_limited' })).toBe(1);
    expect(sum('commands_total', { outcome: 'limited' })).toBe(1);
  });

  test.each(HISTOGRAMS)('P50, P95 and P99 can be read off %s', (name) => {
    const [p50, p95, p99] = [0.5, 0.95, 0.99].map((share) => quantile(samples, name, share)) as [number, number, number];
    expect(p50).toBeGreaterThan(0);
    expect(p50).toBeLessThanOrEqual(p95);
    expect(p95).toBeLessThanOrEqual(p99);
    expect(p99, 'within the buckets').toBeLessThan(Number.POSITIVE_INFINITY);
    expect(sum(`${name}_count`)).toBeGreaterThan(0);
  });

  test('no label carries a tenant, a task, a user or anything else that a caller chose', () => {
    expect([...new Set(samples.flatMap(({ labels }) => Object.keys(labels)))].filter((label) => !LABELS.includes(label))).toEqual([]);
    const values = new Set(samples.flatMap(({ labels }) => Object.values(labels)));
    for (const chosen of ['default', 'admin', MARK]) expect([...values].filter((value) => value.includes(chosen))).toEqual([]);
    expect(text).not.toContain(MARK);
  });
});
