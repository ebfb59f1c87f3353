import { createRequire } from 'node:module';

type RequestQueue = { prototype: { pending?: unknown[]; scheduleCheckPendingRequests(this: { pending: unknown[] }): void } };

/**
 * KafkaJS 2.2.4 arms a timer after every response, also when no request waits, and with a negative delay, which Node reports as a
 * TimeoutNegativeWarning. With nothing waiting there is nothing to check, so nothing is armed. (It checks again with every request that has to wait.)
 */
export function armTimersOnlyWhenRequestsWait(): void {
  const queue = createRequire(import.meta.url)('kafkajs/src/network/requestQueue/index.js') as RequestQueue;
  const original = queue.prototype.scheduleCheckPendingRequests;
  if (original.name === 'whenRequestsWait') return;
  queue.prototype.scheduleCheckPendingRequests = function whenRequestsWait() {
    if (this.pending.length > 0) original.call(this);
  };
}
