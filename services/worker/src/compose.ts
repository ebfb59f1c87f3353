import { type ClusterOptions, connectCluster } from '@retrigger/cluster/compose.ts';
import { serveHealth } from '@retrigger/cluster/health.ts';
import type { Environment } from '@retrigger/config/environment.ts';
import { decodeWork, encodeWork } from '@retrigger/contract/work-record.ts';
import { taskDecider } from '@retrigger/domain/task/decider.ts';
import type { AnyDecider } from '@retrigger/engine/aggregate.ts';
import type { Composed } from '@retrigger/lifecycle/run.ts';
import { createWorker } from './worker.ts';

/** Past this the oldest due wake-up makes the worker unready. */
const MOST_WAKE_UP_LAG_MS = 5_000;

/** A worker process of the cluster profile. */
export async function composeWorker(environment: Environment, options: ClusterOptions = {}): Promise<Composed> {
  const connected = await connectCluster('worker', environment, options);
  if (connected.kind === 'cannot_start') return connected;
  const { cluster } = connected;
  const worker = await createWorker({
    ...cluster,
    ...{ encode: encodeWork, decode: decodeWork, encodeEvent: cluster.eventCodec.encode },
    showEvents: (stored) => cluster.privacy.disclosure.named(stored),
    decider: taskDecider as AnyDecider,
  });
  const health = await serveHealth(cluster, () => ({
    consumer: cluster.log.unhealthy() === null ? 'up' : 'down',
    wakeUps: worker.oldestWakeUpLagMs() > MOST_WAKE_UP_LAG_MS ? 'down' : 'up',
  }));
  const stop = async () => {
    if (health.kind === 'serving') health.stop();
    await worker.stop();
    await cluster.close();
  };
  if (health.kind === 'cannot_listen') {
    await stop();
    return { kind: 'cannot_start', message: health.message };
  }
  process.stdout.write('Retrigger worker has joined\n');
  return { kind: 'started', observer: cluster.observer, stop };
}
