import type { CommandAdmission } from '@retrigger/engine/admit-command.ts';
import type { Clock } from '@retrigger/ports/clock.ts';
import { type Log, TOPICS } from '@retrigger/ports/log.ts';
import { KafkaDoor, type KafkaDoorDeps } from './kafka-door.ts';
import type { Problem } from './problem.ts';

export const GATEWAY_GROUP = 'retrigger.gateway';

export type OpenKafkaDoor = {
  /** Ends what waits, lets the running batches end, and leaves the group. */
  stop(): Promise<void>;
};

/** Joins the gateways' group and takes published commands, until stopped. */
export async function openKafkaDoor(
  deps: KafkaDoorDeps & { log: Pick<Log, 'append' | 'partitionOf' | 'consume' | 'lag'> },
  admission: CommandAdmission<Problem>,
): Promise<OpenKafkaDoor> {
  const { log, observer } = deps;
  const door = new KafkaDoor(deps, admission);
  observer.gauge('commands_lag_records', () => log.lag(TOPICS.commands, GATEWAY_GROUP));
  const consumer = await log.consume(TOPICS.commands, GATEWAY_GROUP, door);
  return {
    async stop() {
      door.close();
      await consumer.stop();
    },
  };
}

/** A rebalance takes no longer, and keeps no HTTP call from being served. */
const GRACE_MS = 15_000;

/** Whether the door's consumer is up, as readiness tells it: down when it was not consuming each time that somebody asked for 15 s. */
export function consumerState(isConsuming: () => boolean, clock: Pick<Clock, 'now'>): () => 'up' | 'down' {
  let downSince: number | null = clock.now();
  return () => {
    if (isConsuming()) downSince = null;
    else downSince ??= clock.now();
    return downSince === null || clock.now() - downSince < GRACE_MS ? 'up' : 'down';
  };
}
