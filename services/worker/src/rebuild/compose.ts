import { randomBytes } from 'node:crypto';
import { type Cluster, connectCluster } from '@retrigger/cluster/compose.ts';
import { kafkaConnection } from '@retrigger/cluster/settings.ts';
import type { Environment } from '@retrigger/config/environment.ts';
import { decodeWork } from '@retrigger/contract/work-record.ts';
import { DISPATCHER_GROUP } from '@retrigger/dispatcher/dispatcher.ts';
import { domainDecider } from '@retrigger/domain/domain-decider.ts';
import { formatInstant, parseInstant } from '@retrigger/domain/instant.ts';
import type { AnyDecider } from '@retrigger/engine/aggregate.ts';
import { readTopic } from '@retrigger/engine/read-topic.ts';
import { type Kept, rebuildEvents, recordName } from '@retrigger/engine/rebuild-events.ts';
import { isTick } from '@retrigger/engine/ticks.ts';
import { GATEWAY_GROUP } from '@retrigger/gateway/open-kafka-door.ts';
import { rewindGroups } from '@retrigger/kafka/rewind-groups.ts';
import { COLLECTOR_GROUP, NOTIFIER_GROUP } from '@retrigger/notifier/notifier.ts';
import type { Clock } from '@retrigger/ports/clock.ts';
import { TOPICS, WORKER_GROUP } from '@retrigger/ports/log.ts';
import type { Done } from '../archive/compose.ts';

/** Nobody may read or write while the store is rebuilt. */
const ALL_GROUPS = [WORKER_GROUP, GATEWAY_GROUP, DISPATCHER_GROUP, NOTIFIER_GROUP, COLLECTOR_GROUP];
/** Longer than a broker waits for a member that was killed. */
const UNUSED_WITHIN_MS = 12_000;
const LOOK_EVERY_MS = 500;
/** The brokers' clocks stamp the records; whoever said when the dump began had another. Going back further costs time and nothing else. */
const CLOCKS_DIFFER_MS = 60_000;

const failed = (message: string): Done => ({ isDone: false, message: `retrigger: ${message}` });

/**
 * After a dump of the store was restored, while no service runs: puts the events since the dump back from the events topic, and takes the workers' group back to
 * where the dump began, so that they make of the kept work log everything else that the store lacks.
 */
export async function rebuildStore(since: string | undefined, environment: Environment): Promise<Done> {
  const dumpedAt = parseInstant(since ?? '');
  if (dumpedAt === undefined) return failed('npm run rebuild:cluster -- INSTANT (when the dump was begun, as 2026-01-31T08:00:00Z)');
  const connected = await connectCluster('rebuild', environment);
  if (connected.kind === 'cannot_start') return { isDone: false, message: connected.message };
  try {
    return await rebuild(connected.cluster, dumpedAt);
  } catch (error) {
    return failed(error instanceof Error ? error.message : String(error));
  } finally {
    await connected.cluster.close();
  }
}

async function rebuild(cluster: Cluster, dumpedAt: number): Promise<Done> {
  const { settings, snapshots } = cluster;
  const marks = [...(await snapshots.marks()).values()].map(({ at }) => at);
  const sinceMs = Math.min(dumpedAt - CLOCKS_DIFFER_MS, ...marks);
  const connection = kafkaConnection(settings, 'retrigger-rebuild');
  const named = (name: string): string => settings.kafkaPrefix + name;
  const unused = ALL_GROUPS.map(named);
  const inUse = await untilUnused(() => rewindGroups(connection, { unused, rewound: [], sinceMs }, cluster), cluster.clock);
  if (inUse.length > 0) return failed(`${inUse.join(', ')} ${IN_USE}`);
  const { restored, present, wrong } = await rebuildEvents(
    { ...cluster, decider: domainDecider as AnyDecider },
    await readKept(cluster, sinceMs),
  );
  if (wrong.length > 0)
    return failed(`${wrong.length} streams can not be rebuilt, the workers' offsets stay: ${wrong.slice(0, 5).join('; ')}`);
  const rewound = [
    { group: named(WORKER_GROUP), topic: named(TOPICS.work) },
    { group: named(NOTIFIER_GROUP), topic: named(TOPICS.events) }, // deliveries, and dead letters, are documents of the store
    { group: named(COLLECTOR_GROUP), topic: named(TOPICS.deadLetters) },
  ];
  const done = await rewindGroups(connection, { unused, rewound, sinceMs }, cluster);
  if (done.kind === 'in_use') return failed(`${done.groups.join(', ')} ${IN_USE}`);
  const from = formatInstant(sinceMs);
  return { isDone: true, message: `${restored} events are back, ${present} were there; the workers go on from ${from}: start them first` };
}

/** The groups that are still in use after a while. */
async function untilUnused(look: () => ReturnType<typeof rewindGroups>, clock: Clock): Promise<string[]> {
  for (const end = clock.now() + UNUSED_WITHIN_MS; ; ) {
    const looked = await look();
    if (looked.kind === 'rewound') return [];
    if (clock.now() >= end) return looked.groups;
    await new Promise<void>((resolve) => clock.timer(clock.now() + LOOK_EVERY_MS, resolve));
  }
}

const IN_USE = 'is in use: stop every service first';

async function readKept({ log, eventCodec, clock }: Cluster, sinceMs: number): Promise<Kept> {
  const kept: Kept = { events: new Map(), records: new Map() };
  const group = `retrigger.rebuild.${randomBytes(6).toString('hex')}`;
  const add = <T>(to: Map<string, T[]>, name: string, one: T): void => {
    const list = to.get(name);
    if (list === undefined) to.set(name, [one]);
    else list.push(one);
  };
  await readTopic(
    log,
    { topic: TOPICS.events, group },
    async ({ key, value, at, offset }) => {
      if (at < sinceMs) return;
      const read = await eventCodec.decode(value);
      if (read.kind !== 'event') throw new Error(`the event at offset ${offset} can not be read: ${read.reason}`);
      add(kept.events, key, read.event);
    },
    clock,
  );
  await readTopic(
    log,
    { topic: TOPICS.work, group },
    async (record) => {
      const { key, partition, offset, at } = record;
      const read = isTick(record) ? undefined : decodeWork(record);
      if (read?.kind === 'command' && kept.events.has(key))
        add(kept.records, recordName(key, read.command.commandId), { command: read.command, key, position: { partition, offset, at } });
    },
    clock,
  );
  return kept;
}
