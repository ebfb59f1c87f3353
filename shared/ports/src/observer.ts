/** The names of all metrics, with their labels. No tenant, task or user is ever a label. */
export type Counters = {
  triggers_total: { outcome: string };
  events_total: { type: string };
  commands_total: { type: string; outcome: string };
  requests_refused_total: { code: string };
  dead_letters_total: { source: string };
  target_calls_total: { outcome: string };
  /** `channel` is `none` where it was not looked at. */
  notifications_total: { channel: string; outcome: string };
  subscriptions_paused_total: { channel: string };
  dead_letters_closed_total: { action: string };
  dependency_refusals_total: Record<string, never>;
  limits_unavailable_total: Record<string, never>;
};

/** Histograms in seconds, except where the name says otherwise. */
export type Histograms = {
  command_latency_seconds: { type: string };
  http_request_seconds: { route: string; status: string };
  target_call_seconds: Record<string, never>;
  notification_seconds: { channel: string };
  wake_up_lag_seconds: Record<string, never>;
  batch_size_records: Record<string, never>;
  write_size_events: Record<string, never>;
};

/** Read when somebody asks. */
export type Gauges =
  | 'work_lag_records'
  | 'work_lag_seconds'
  | 'commands_lag_records'
  | 'commands_in_flight'
  | 'body_bytes_in_memory'
  | 'wake_up_oldest_seconds';

export type LogFields = { [name: string]: string | number | boolean | null | undefined };

/** What a component tells about itself. Nothing here may throw, and nothing here decides anything. */
export interface Observer {
  count<N extends keyof Counters>(name: N, labels: Counters[N], by?: number): void;
  measure<N extends keyof Histograms>(name: N, value: number, labels: Histograms[N]): void;
  gauge(name: Gauges, read: () => number | Promise<number>): void;
  log(level: 'debug' | 'info' | 'warn' | 'error', message: string, fields?: LogFields): void;
  /** A finished span that continues `traceparent`, for work that was done in a batch with others. Times in epoch milliseconds. */
  traced(name: string, traceparent: string, attributes: LogFields, startedAt: number, endedAt: number): void;
  /** Runs inside a span that continues `traceparent` (a new trace without one); `run` is given the span's own traceparent. */
  span<T>(name: string, traceparent: string | undefined, attributes: LogFields, run: (traceparent: string) => Promise<T>): Promise<T>;
}

/** For tests, and for whoever does not care. */
export const silent: Observer = {
  count() {},
  measure() {},
  gauge() {},
  log() {},
  traced() {},
  span: (_name, traceparent, _attributes, run) => run(traceparent ?? ''),
};
