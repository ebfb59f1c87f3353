import type { WorkerPorts } from '@retrigger/engine/apply-batch.ts';
import { Housekeeping } from '@retrigger/engine/housekeeping.ts';
import { workHandler } from '@retrigger/engine/work-handler.ts';
import { supervise } from '@retrigger/lifecycle/supervise.ts';
import { TOPICS } from '@retrigger/ports/log.ts';

export const WORKER_GROUP = 'retrigger.worker';

export type Worker = { stop(): Promise<void> };

/** Joins the workers' group and decides what its partitions bring, until stopped. */
export async function createWorker(ports: WorkerPorts): Promise<Worker> {
  const { log, clock, observer } = ports;
  const housekeeping = new Housekeeping(ports, clock);
  observer.gauge('work_lag_records', () => log.lag(TOPICS.work, WORKER_GROUP));
  const consumer = await log.consume(TOPICS.work, WORKER_GROUP, workHandler(ports, log.partitionCount(TOPICS.work), housekeeping));
  const keeping = supervise('housekeeping', () => housekeeping.turn(), { clock, observer });
  return {
    async stop() {
      await consumer.stop();
      await keeping.stop();
    },
  };
}
