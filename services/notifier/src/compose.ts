import { type ClusterOptions, connectCluster } from '@retrigger/cluster/compose.ts';
import { serveHealth } from '@retrigger/cluster/health.ts';
import type { Environment } from '@retrigger/config/environment.ts';
import type { Composed } from '@retrigger/lifecycle/run.ts';
import { createNotifier } from './notifier.ts';
import { notifierParts } from './settings.ts';

/** A notifier process of the cluster profile. */
export async function composeNotifier(environment: Environment, options: ClusterOptions = {}): Promise<Composed> {
  const connected = await connectCluster('notifier', environment, options);
  if (connected.kind === 'cannot_start') return connected;
  const { cluster } = connected;
  const notifier = await createNotifier({
    ...cluster,
    ...notifierParts(cluster.settings, cluster.clock),
    showEvents: (stored) => cluster.privacy.disclosure.named(stored),
  });
  const health = await serveHealth(cluster, () => ({ consumer: cluster.log.unhealthy() === null ? 'up' : 'down' }));
  const stop = async () => {
    if (health.kind === 'serving') health.stop();
    await notifier.stop();
    await cluster.close();
  };
  if (health.kind === 'cannot_listen') {
    await stop();
    return { kind: 'cannot_start', message: health.message };
  }
  process.stdout.write('Retrigger notifier has joined\n');
  return { kind: 'started', observer: cluster.observer, stop };
}
