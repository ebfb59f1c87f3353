import { context, trace } from '@opentelemetry/api';
import type { Observer } from '@retrigger/ports/observer.ts';
import { type DestinationStream, pino } from 'pino';
import { redactFields, redactText } from './redaction.ts';

export type LogLevel = Parameters<Observer['log']>[0];

/** One JSON line per entry, with the ids of the span it was written in. */
export function startLogs(service: string, level: LogLevel, destination: DestinationStream): Observer['log'] {
  const logger = pino(
    { level, base: { service }, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (label) => ({ level: label }) } },
    destination,
  );
  return (at, message, fields = {}) => {
    if (!logger.isLevelEnabled(at)) return;
    const span = trace.getSpanContext(context.active());
    const ids = span === undefined ? {} : { traceId: span.traceId, spanId: span.spanId };
    logger[at]({ ...redactFields(fields), ...ids }, redactText(message));
  };
}
