import { type ClusterOptions, connectCluster } from '@retrigger/cluster/compose.ts';
import type { Environment } from '@retrigger/config/environment.ts';
import { encodeWork } from '@retrigger/contract/work-record.ts';
import { WorkLag } from '@retrigger/engine/work-lag.ts';
import { freshIds } from '@retrigger/lifecycle/fresh-ids.ts';
import type { Composed } from '@retrigger/lifecycle/run.ts';
import { supervise } from '@retrigger/lifecycle/supervise.ts';
import { TOPICS, WORKER_GROUP } from '@retrigger/ports/log.ts';
import { createAdmission, createGateway } from './app.ts';
import { gatewayConfig } from './config.ts';
import { gatewayCredentials, tokenIssuer } from './gateway-credentials.ts';
import { consumerState, openKafkaDoor } from './open-kafka-door.ts';
import { serve } from './serve.ts';
import { sweepKeys } from './sweep-keys.ts';
import { LimitsOfTenants } from './tenant-settings.ts';

const HTTP_GRACE_MS = 3_000;

/** A call that can't be served says so well within 10 s: it waits at most for one append or for a few operations of the store that is away, of which the first ends it. */
const CALLERS_WAIT = { appendMs: 5_000, storeMs: 4_000 };

/** A gateway process of the cluster profile. */
export async function composeGateway(environment: Environment, options: ClusterOptions = {}): Promise<Composed> {
  const connected = await connectCluster('gateway', environment, { ...options, callersWait: CALLERS_WAIT });
  if (connected.kind === 'cannot_start') return connected;
  const { cluster } = connected;
  const { settings, telemetry } = cluster;
  const { apiKey } = settings;
  const giveUp = async (message: string): Promise<Composed> => {
    await cluster.close();
    return { kind: 'cannot_start', message: `retrigger: ${message}` };
  };
  if (apiKey === null) return giveUp('RETRIGGER_API_KEY is not set; in a cluster every gateway needs the same first key');
  const tokens = tokenIssuer(settings);
  if (tokens.kind === 'wrong') return giveUp(tokens.message);
  const config = gatewayConfig(settings, false);
  const limits = new LimitsOfTenants(config.limits, cluster.documents, cluster.clock);
  const lag = new WorkLag(cluster.log, TOPICS.work, WORKER_GROUP, cluster.clock);
  const commandsConsumer = consumerState(() => cluster.log.unhealthy() === null, cluster.clock);
  const deps = {
    ...cluster,
    lag,
    encode: encodeWork,
    credentials: gatewayCredentials(apiKey, tokens.issuer, cluster),
    freshId: freshIds(),
    metrics: telemetry.prometheus,
    readiness: async () => ({ ...(await cluster.readiness()), commandsConsumer: commandsConsumer() }),
    limitsFor: (tenantId: string) => limits.of(tenantId),
    limitsChanged: (tenantId: string) => limits.forget(tenantId),
    config,
  };
  const admission = createAdmission(deps);
  const server = await serve(createGateway(deps, admission).fetch, settings);
  if (server.kind === 'cannot_listen') return giveUp(server.message);
  const looking = supervise('looking how far the workers are behind', () => lag.turn(), cluster);
  const sweeping = supervise('sweeping away dead API keys', () => sweepKeys(cluster.documents, cluster.clock), cluster);
  const door = await openKafkaDoor(
    { ...deps, readAvro: cluster.readAvroCommand, topic: settings.kafkaPrefix + TOPICS.commands },
    admission,
  );
  process.stdout.write(`Retrigger gateway is listening on ${server.url}\n`);
  return {
    kind: 'started',
    observer: cluster.observer,
    async stop() {
      await Promise.all([server.stop(HTTP_GRACE_MS), door.stop()]);
      await looking.stop();
      await sweeping.stop();
      await cluster.close();
    },
  };
}
