import { partsOfKey } from '@retrigger/domain/identifiers.ts';
import { wakeCommand } from '@retrigger/domain/task/react.ts';
import type { WorkerPorts } from '@retrigger/engine/apply-batch.ts';
import { Housekeeping } from '@retrigger/engine/housekeeping.ts';
import { WakeUps } from '@retrigger/engine/wake-ups.ts';
import { workHandler } from '@retrigger/engine/work-handler.ts';
import { supervise } from '@retrigger/lifecycle/supervise.ts';
import { TOPICS, WORKER_GROUP } from '@retrigger/ports/log.ts';

export type Worker = {
  /** How late the oldest due time is, in milliseconds. */
  oldestWakeUpLagMs(): number;
  stop(): Promise<void>;
};

/** Joins the workers' group, decides what its partitions bring and wakes what is due, until stopped. `sliceRecords`: see WorkHandlerBounds. */
export async function createWorker(ports: WorkerPorts, { sliceRecords }: { sliceRecords?: number } = {}): Promise<Worker> {
  const { log, snapshots, clock, observer, encode } = ports;
  const housekeeping = new Housekeeping(ports);
  const wakeUps = new WakeUps({
    ...{ log, snapshots, clock, observer, encode },
    wake: (key, wakeAt, silentSince, sentAt) => {
      const { tenantId, taskId } = partsOfKey(key);
      return wakeCommand(tenantId, taskId, wakeAt, silentSince, sentAt);
    },
  });
  observer.gauge('work_lag_records', () => log.lag(TOPICS.work, WORKER_GROUP));
  observer.gauge('wake_up_oldest_seconds', () => wakeUps.oldestLagMs() / 1000);
  const bounds = { partitionCount: log.partitionCount(TOPICS.work), sliceRecords };
  const consumer = await log.consume(TOPICS.work, WORKER_GROUP, workHandler(ports, bounds, housekeeping, wakeUps));
  const loops = [
    supervise('housekeeping', () => housekeeping.turn(), { clock, observer }),
    supervise('refilling due times', () => wakeUps.refill(), { clock, observer }),
  ];
  return {
    oldestWakeUpLagMs: () => wakeUps.oldestLagMs(),
    async stop() {
      wakeUps.stop();
      await consumer.stop();
      for (const loop of loops) await loop.stop();
    },
  };
}
