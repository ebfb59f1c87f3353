import type { Attributes, Counter, Histogram } from '@opentelemetry/api';
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import type { Gauges, Observer } from '@retrigger/ports/observer.ts';
import { COUNTERS, FROM_ZERO, GAUGES, HISTOGRAMS } from './instruments.ts';

export type Metrics = Pick<Observer, 'count' | 'measure' | 'gauge'> & {
  /** Everything in Prometheus' text format; what was not counted or measured yet is named all the same. */
  prometheus(): Promise<string>;
  stop(): Promise<void>;
};

/** What is down may never answer; whoever asks for metrics has the others within this. */
const GAUGES_WITHIN_MS = 2_000;

/** Counters, histograms and gauges on the OpenTelemetry SDK. A gauge that is given again is read from the new place; one that throws, or is late, is left out. */
export function startMetrics(service: string, version: string): Metrics {
  const reader = new PrometheusExporter({ preventServerStart: true });
  const serializer = new PrometheusSerializer(undefined, false, undefined, false, true);
  const provider = new MeterProvider({
    resource: resourceFromAttributes({ 'service.name': service, 'service.version': version }),
    readers: [reader],
  });
  const meter = provider.getMeter('retrigger');

  const counters = new Map<string, Counter>();
  for (const [name, description] of Object.entries(COUNTERS)) counters.set(name, meter.createCounter(name, { description }));

  for (const name of FROM_ZERO) counters.get(name)?.add(0);

  const histograms = new Map<string, Histogram>();
  for (const [name, { description, buckets }] of Object.entries(HISTOGRAMS)) {
    histograms.set(name, meter.createHistogram(name, { description, advice: { explicitBucketBoundaries: [...buckets] } }));
  }

  const reads = new Map<Gauges, () => number | Promise<number>>();
  for (const [name, description] of Object.entries(GAUGES) as [Gauges, string][]) {
    meter.createObservableGauge(name, { description }).addCallback(async (result) => {
      const value = await readOrNothing(reads.get(name));
      if (value !== undefined) result.observe(value);
    });
  }

  return {
    count: (name, labels, by = 1) => counters.get(name)?.add(by, labels as Attributes),
    measure: (name, value, labels) => histograms.get(name)?.record(value, labels as Attributes),
    gauge: (name, read) => void reads.set(name, read),
    prometheus: async () => withAllNames(serializer.serialize((await reader.collect({ timeoutMillis: GAUGES_WITHIN_MS })).resourceMetrics)),
    stop: () => provider.shutdown(),
  };
}

/** An instrument without a value is left out by the SDK; whoever builds a dashboard on a fresh installation looks for its name. */
function withAllNames(text: string): string {
  const declared = [
    ...Object.entries(COUNTERS).map(([name, description]) => [name, 'counter', description] as const),
    ...Object.entries(HISTOGRAMS).map(([name, { description }]) => [name, 'histogram', description] as const),
  ];
  const missing = declared.filter(([name]) => !text.includes(`# TYPE ${name} `));
  return text + missing.map(([name, type, description]) => `# HELP ${name} ${description}\n# TYPE ${name} ${type}\n`).join('');
}

async function readOrNothing(read: (() => number | Promise<number>) | undefined): Promise<number | undefined> {
  try {
    return await read?.();
  } catch {
    return undefined; // what is down shows in readiness; the other metrics are still told
  }
}
