import { type ClusterOptions, connectCluster } from '@retrigger/cluster/compose.ts';
import { serveHealth } from '@retrigger/cluster/health.ts';
import type { ClusterSettings } from '@retrigger/cluster/settings.ts';
import type { Environment } from '@retrigger/config/environment.ts';
import type { Composed } from '@retrigger/lifecycle/run.ts';
import { createDispatcher } from './dispatcher.ts';

const targetSettings = ({ allowPrivateTargets, typeConcurrency }: ClusterSettings) => ({ allowPrivateTargets, typeConcurrency });

/** A dispatcher process of the cluster profile. */
export async function composeDispatcher(environment: Environment, options: ClusterOptions = {}): Promise<Composed> {
  const connected = await connectCluster('dispatcher', environment, options);
  if (connected.kind === 'cannot_start') return connected;
  const { cluster } = connected;
  const dispatcher = await createDispatcher({ ...cluster, ...targetSettings(cluster.settings) });
  const health = await serveHealth(cluster, () => ({ consumer: cluster.log.unhealthy() === null ? 'up' : 'down' }));
  const stop = async () => {
    if (health.kind === 'serving') health.stop();
    await dispatcher.stop();
    await cluster.close();
  };
  if (health.kind === 'cannot_listen') {
    await stop();
    return { kind: 'cannot_start', message: health.message };
  }
  process.stdout.write('Retrigger dispatcher has joined\n');
  return { kind: 'started', observer: cluster.observer, stop };
}
