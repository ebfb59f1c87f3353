import { freeBytes } from '@retrigger/files/free-space.ts';
import type { Readiness } from '@retrigger/gateway/deps.ts';

/** Past this the oldest due wake-up makes the service unready. */
const MOST_WAKE_UP_LAG_MS = 5_000;
/** With less than this nearly every write fails: what is in the write-ahead logs can't be copied into the files any more. */
const LEAST_FREE_BYTES = 1_048_576;

type Writable = { isWritable(): Promise<boolean> };

/** What this process needs: files that take writes, room for them, and due times that are met. */
export function readinessOf(
  { log, store, worker }: { log: Writable; store: Writable; worker: { oldestWakeUpLagMs(): number } },
  dataDir: string,
): () => Promise<Readiness> {
  const state = (isUp: boolean) => (isUp ? 'up' : 'down');
  return async () => {
    const [free, isLogWritable, isStoreWritable] = await Promise.all([freeBytes(dataDir), log.isWritable(), store.isWritable()]);
    return {
      log: state(isLogWritable),
      store: state(isStoreWritable),
      disk: state(free >= LEAST_FREE_BYTES),
      wakeUps: state(worker.oldestWakeUpLagMs() <= MOST_WAKE_UP_LAG_MS),
    };
  };
}
