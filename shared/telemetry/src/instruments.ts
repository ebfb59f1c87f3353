import type { Counters, Gauges, Histograms } from '@retrigger/ports/observer.ts';

/** Upper bounds in seconds, from 0.5 ms to a minute, close enough together to read P50, P95 and P99 off them. */
const SECONDS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1, 2, 3, 5, 10, 20, 30, 60,
] as const;
const RECORDS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000] as const;

export const COUNTERS: Record<keyof Counters, string> = {
  triggers_total: 'Triggers decided, by outcome',
  events_total: 'Events stored, by type',
  commands_total: 'Commands taken at a door, by type and outcome',
  requests_refused_total: 'Requests refused at the door, by problem code',
  dead_letters_total: 'Records given up, by the topic they came from',
  target_calls_total: 'Calls of HTTP targets, by outcome',
  notifications_total: 'Attempts to tell subscribers, and what became of notifications, by channel and outcome',
  subscriptions_paused_total: 'Subscriptions paused because they kept failing, by channel',
  dead_letters_closed_total: 'Dead letters redriven or dropped',
  dependency_refusals_total: 'Commands refused because of dependencies',
  limits_unavailable_total: 'Commands refused because their limits could not be asked',
};

/** Without labels: they are told from the start, so that a rate sees their first step. */
export const FROM_ZERO: (keyof Counters)[] = ['dependency_refusals_total', 'limits_unavailable_total'];

export const HISTOGRAMS: Record<keyof Histograms, { description: string; buckets: readonly number[] }> = {
  command_latency_seconds: { description: 'From the work log to the stored decision, by command type', buckets: SECONDS },
  http_request_seconds: { description: 'HTTP requests, by route and status', buckets: SECONDS },
  target_call_seconds: { description: 'Calls of HTTP targets', buckets: SECONDS },
  notification_seconds: { description: 'From an event to its delivery, by channel', buckets: SECONDS },
  wake_up_lag_seconds: { description: 'How late a due time was acted on', buckets: SECONDS },
  batch_size_records: { description: 'Records in a batch of the work log', buckets: RECORDS },
  write_size_events: { description: 'Events that batches of several partitions store together (cluster)', buckets: RECORDS },
};

export const GAUGES: Record<Gauges, string> = {
  work_lag_records: 'Records of the work log that no worker has finished',
  work_lag_seconds: 'How old the oldest record of the work log is that no worker has finished, as a door sees it',
  commands_lag_records: 'Published commands that no gateway has taken',
  commands_in_flight: 'Commands whose outcome a door waits for',
  body_bytes_in_memory: 'Bytes of request bodies that a door holds',
  wake_up_oldest_seconds: 'How late the oldest due time is that was not acted on',
};
