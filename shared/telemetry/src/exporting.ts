import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { AlwaysOnSampler, ParentBasedSampler, SimpleSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace';

const EVERYTHING = new ParentBasedSampler({ root: new AlwaysOnSampler() });

/** Starts OpenTelemetry's Node SDK for traces only; metrics and logs have their own way out. Loaded only when spans leave the process: it is large. */
export function startExporting(service: string, version: string, exporter: SpanExporter | undefined): NodeSDK {
  const sdk = new NodeSDK({
    resource: resourceFromAttributes({ 'service.name': service, 'service.version': version }),
    textMapPropagator: new W3CTraceContextPropagator(),
    metricReaders: [],
    logRecordProcessors: [],
    instrumentations: [],
    ...(exporter === undefined ? {} : { sampler: EVERYTHING, spanProcessors: [new SimpleSpanProcessor({ exporter })] }),
  });
  sdk.start();
  return sdk;
}
