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
 * How KafkaJS 2.2.4 measures time, mended for this process. Doing it again changes nothing. `calendar`: what KafkaJS goes by, epoch ms.
 * K1: no timer is armed after a response when no request waits. KafkaJS's has a negative delay then, which Node reports as a TimeoutNegativeWarning. (It checks
 * again with every request that has to wait.)
 * K2: a request times out when as long has passed as it may take, also when the calendar was set meanwhile. KafkaJS asks the calendar: set back by minutes, it
 * waits minutes longer for the answer of a connection that is dead; set ahead, all that is under way has timed out.
 * K3: the group hears of a member in time, also when the calendar was set back. KafkaJS sends no heartbeat until the calendar has passed that of the last one, so
 * that the group forgets the member, which goes on without knowing.
 */
export function mendTimers(calendar: () => number): void {
  queue.scheduleCheckPendingRequests = whenRequestsWait;
  queue.scheduleRequestTimeoutCheck = timeOutByTicks;
  group.heartbeat = function whateverTheCalendar(options) {
    if (this.lastRequest > calendar()) this.lastRequest = calendar() - options.interval; // K3
    return heartbeat.call(this, options);
  };
}

/** K1 */
function whenRequestsWait(this: RequestQueue): void {
  if (this.pending.length > 0) scheduleCheckPendingRequests.call(this);
}

/** K2. Ticks, not time: a process that was paused does not blame its connections. */
function timeOutByTicks(this: RequestQueue): void {
  if (!this.enforceRequestTimeout) return;
  this.destroy();
  const tickMs = Math.min(this.requestTimeout, LOOK_EVERY_MS);
  const ticks = new WeakMap<Request, number>();
  const look = () => {
    for (const request of [...this.inflight.values()]) {
      const seen = ticks.get(request) ?? 0;
      if (seen * tickMs > request.requestTimeout) request.timeoutRequest();
      else ticks.set(request, seen + 1);
    }
    if (!this.isConnected()) this.destroy();
  };
  this.requestTimeoutIntervalId = setInterval(look, tickMs);
}
