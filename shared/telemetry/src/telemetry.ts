import type { SpanExporter } from '@opentelemetry/sdk-trace';
import type { Observer } from '@retrigger/ports/observer.ts';
import { type DestinationStream, pino } from 'pino';
import { type LogLevel, startLogs } from './logs.ts';
import { startMetrics } from './metrics.ts';
import { exportTraces, passTraces } from './traces.ts';

export type TelemetryOptions = {
  service: string;
  version: string;
  logLevel: LogLevel;
  /** Whether OpenTelemetry's own environment variables say where spans go (OTEL_EXPORTER_OTLP_ENDPOINT is set). */
  exportSpans: boolean;
  /** Where spans go instead; for tests. */
  spanExporter?: SpanExporter;
  /** Where log lines go; standard output when absent. */
  logTo?: DestinationStream;
};

export type Telemetry = {
  observer: Observer;
  /** All metrics in Prometheus' text format. */
  prometheus(): Promise<string>;
  /** Sends what is left of the spans; when nobody takes them it says so in the log and goes on. */
  stop(): Promise<void>;
};

/** What this process tells about itself. One at a time in a process: OpenTelemetry's context is global. */
export async function startTelemetry(options: TelemetryOptions): Promise<Telemetry> {
  const { service, version, spanExporter } = options;
  const metrics = startMetrics(service, version);
  const traces = options.exportSpans || spanExporter !== undefined ? await exportTraces(service, version, spanExporter) : passTraces();
  const { count, measure, gauge } = metrics;
  const { span, traced } = traces;
  const log = startLogs(service, options.logLevel, options.logTo ?? pino.destination(1));
  return {
    observer: { count, measure, gauge, log, span, traced },
    prometheus: metrics.prometheus,
    async stop() {
      const reason = await traces.stop();
      if (reason !== undefined) log('warn', 'the last spans could not be sent', { reason });
      await metrics.stop();
    },
  };
}
