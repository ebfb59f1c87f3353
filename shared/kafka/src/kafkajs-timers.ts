import { createRequire } from 'node:module';

type Request = { requestTimeout: number; timeoutRequest(): void };
type RequestQueue = {
  enforceRequestTimeout: boolean;
  requestTimeout: number;
  requestTimeoutIntervalId: NodeJS.Timeout;
  pending: unknown[];
  inflight: Map<number, Request>;
  isConnected(): boolean;
  destroy(): void;
  scheduleCheckPendingRequests(): void;
  scheduleRequestTimeoutCheck(): void;
};
type ConsumerGroup = { lastRequest: number; heartbeat(options: { interval: number }): Promise<void> };

const LOOK_EVERY_MS = 100;

const required = createRequire(import.meta.url);
const queue = (required('kafkajs/src/network/requestQueue/index.js') as { prototype: RequestQueue }).prototype;
const group = (required('kafkajs/src/consumer/consumerGroup.js') as { prototype: ConsumerGroup }).prototype;
const { scheduleCheckPendingRequests } = queue;
const { heartbeat } = group;

/**
 * How KafkaJS 2.2.4 measures time, mended for this process. Doing it again changes nothing.
 * K1: no timer is armed after a response when no request waits. KafkaJS's has a negative delay then, which Node reports as a TimeoutNegativeWarning. (It checks
 * again with every request that has to wait.)
 * K2: a request times out when as long has passed as it may take, also when the calendar was set meanwhile. KafkaJS asks the calendar: set back by minutes, it
 * waits minutes longer for the answer of a connection that is dead; set ahead, all that is under way has timed out.
 * K3: the group hears of a member in time, also when the calendar was set back. KafkaJS sends no heartbeat until the calendar has passed that of the last one, so
 * that the group forgets the member, which goes on without knowing.
 */
export function mendTimers(): void {
  queue.scheduleCheckPendingRequests = whenRequestsWait;
  queue.scheduleRequestTimeoutCheck = timeOutSteadily;
  group.heartbeat = whateverTheCalendar;
}

/** K1 */
function whenRequestsWait(this: RequestQueue): void {
  if (this.pending.length > 0) scheduleCheckPendingRequests.call(this);
}

/** K2 */
function timeOutSteadily(this: RequestQueue): void {
  if (!this.enforceRequestTimeout) return;
  this.destroy();
  const seenAt = new WeakMap<Request, number>();
  const look = () => {
    const now = performance.now();
    for (const request of [...this.inflight.values()]) {
      const since = seenAt.get(request);
      if (since === undefined) seenAt.set(request, now);
      else if (now - since > request.requestTimeout) request.timeoutRequest();
    }
    if (!this.isConnected()) this.destroy();
  };
  this.requestTimeoutIntervalId = setInterval(look, Math.min(this.requestTimeout, LOOK_EVERY_MS));
}

/** K3 */
function whateverTheCalendar(this: ConsumerGroup, options: { interval: number }): Promise<void> {
  const now = Date.now();
  if (this.lastRequest > now) this.lastRequest = now - options.interval;
  return heartbeat.call(this, options);
}
