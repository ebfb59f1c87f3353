import { setTimeout } from 'node:timers/promises';
import {
  type Attributes,
  context,
  propagation,
  ROOT_CONTEXT,
  type SpanContext,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { parseTraceParent } from '@opentelemetry/core';
import { RandomIdGenerator, type SpanExporter } from '@opentelemetry/sdk-trace';
import type { LogFields, Observer } from '@retrigger/ports/observer.ts';

/** `stop` sends what is left of the spans; it resolves, soon, to why they could not be sent. */
export type Traces = Pick<Observer, 'span' | 'traced'> & { stop(): Promise<string | undefined> };

/** A receiver that is away must not hold up a stop. */
const LAST_SPANS_MS = 2_000;

export const traceparentOf = ({ traceId, spanId, traceFlags }: SpanContext): string =>
  `00-${traceId}-${spanId}-${(traceFlags & 0xff).toString(16).padStart(2, '0')}`;

/**
 * Traces when nobody receives spans: a caller's trace context goes through as it came, sampled or not, so that its trace is not cut here;
 * work without one gets fresh ids, so that its log lines belong together. Nothing is recorded.
 */
export function passTraces(): Traces {
  useContexts();
  const ids = new RandomIdGenerator();
  return {
    span(_name, traceparent, _attributes, run) {
      const fresh = () => ({ traceId: ids.generateTraceId(), spanId: ids.generateSpanId(), traceFlags: 0 });
      const passed = (traceparent === undefined ? null : parseTraceParent(traceparent)) ?? fresh();
      return context.with(trace.setSpanContext(ROOT_CONTEXT, passed), run, undefined, traceparentOf(passed));
    },
    traced() {},
    async stop() {
      leaveContexts();
      return undefined;
    },
  };
}

/**
 * Traces whose spans leave the process: to `exporter`, else wherever OpenTelemetry's own environment variables say. A caller that
 * decided about sampling is followed; a new trace is sampled unless OTEL_TRACES_SAMPLER says otherwise.
 */
export async function exportTraces(service: string, version: string, exporter: SpanExporter | undefined): Promise<Traces> {
  const { startExporting } = await import('./exporting.ts');
  const sdk = startExporting(service, version, exporter);
  const tracer = trace.getTracer('retrigger', version);
  return {
    span: (name, traceparent, attributes, run) => within(tracer, name, traceparent, attributes, run),
    traced(name, traceparent, attributes, startedAt, endedAt) {
      const options = { startTime: startedAt, attributes: told(attributes) };
      tracer.startSpan(name, options, continued(traceparent)).end(endedAt);
    },
    async stop() {
      const sent = sdk.shutdown().then(() => undefined, String);
      const reason = await Promise.race([sent, setTimeout(LAST_SPANS_MS, 'the receiver did not answer in time', { ref: false })]);
      leaveContexts();
      return reason;
    },
  };
}

async function within<T>(
  tracer: Tracer,
  name: string,
  traceparent: string | undefined,
  attributes: LogFields,
  run: (traceparent: string) => Promise<T>,
): Promise<T> {
  const parent = continued(traceparent);
  const span = tracer.startSpan(name, { attributes: told(attributes) }, parent);
  try {
    return await context.with(trace.setSpan(parent, span), run, undefined, traceparentOf(span.spanContext()));
  } catch (error) {
    span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.name : 'not an error' });
    throw error;
  } finally {
    span.end();
  }
}

const continued = (traceparent: string | undefined) => {
  const parent = traceparent === undefined ? null : parseTraceParent(traceparent);
  return parent === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, { ...parent, isRemote: true });
};

const told = (fields: LogFields): Attributes =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null && value !== undefined)) as Attributes;

const useContexts = () => context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());

/** So that a process (a test) may start telemetry again. */
function leaveContexts(): void {
  trace.disable();
  propagation.disable();
  context.disable();
}
