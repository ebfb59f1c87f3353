import type { EventCodec } from '@retrigger/contract/event-codec.ts';
import { MAX_DEPTH, parseStrictJson } from '@retrigger/contract/strict-json.ts';
import { encodeWork } from '@retrigger/contract/work-record.ts';
import type { Resolve } from '@retrigger/delivery/guarded-connect.ts';
import { httpTargets, MAX_ANSWER_BYTES } from '@retrigger/delivery/http-target.ts';
import type { Privacy } from '@retrigger/engine/privacy.ts';
import type { Clock } from '@retrigger/ports/clock.ts';
import { type Log, TOPICS } from '@retrigger/ports/log.ts';
import type { Observer } from '@retrigger/ports/observer.ts';
import type { Secrets } from '@retrigger/ports/secrets.ts';
import type { SnapshotStore } from '@retrigger/ports/snapshot-store.ts';
import type { CallQueueBounds } from './call-queue.ts';
import { Dispatch } from './dispatch.ts';

export const DISPATCHER_GROUP = 'retrigger.dispatcher';

/** A host that hangs can take a quarter of the slots; what waits is small (no context), so much may wait. */
const BOUNDS: CallQueueBounds = { running: 256, runningPerLane: 64, waiting: 50_000 };
/** What a target has done is done: an answer with a longer integer than we can keep is no reason to call that failed. */
const ANSWER_BOUNDS = { maxBytes: MAX_ANSWER_BYTES, maxDepth: MAX_DEPTH, mayLose: true } as const;
const DRAIN_MS = 5_000;
/** A third of the silence after which an execution is given up. */
const HEARTBEAT_EVERY_MS = 20_000;

export type DispatcherDeps = {
  log: Log;
  snapshots: SnapshotStore;
  eventCodec: Pick<EventCodec, 'decode'>;
  secrets: Secrets;
  privacy: Pick<Privacy, 'sealing' | 'disclosure'>;
  clock: Clock;
  observer: Observer;
  allowPrivateTargets: boolean;
  /** Calls that run at once for tasks of a type; types that are not named have no bound of their own. */
  typeConcurrency?: ReadonlyMap<string, number>;
  bounds?: CallQueueBounds;
  /** How long a stop waits for calls that run; 5 s. */
  drainMs?: number;
  heartbeatEveryMs?: number;
  resolve?: Resolve;
};

export type Dispatcher = { stop(): Promise<void> };

/** Joins the dispatchers' group and calls targets, until stopped. */
export async function createDispatcher(deps: DispatcherDeps): Promise<Dispatcher> {
  const { log, clock, allowPrivateTargets, bounds = BOUNDS, drainMs = DRAIN_MS, heartbeatEveryMs = HEARTBEAT_EVERY_MS, resolve } = deps;
  const targets = httpTargets({
    clock,
    allowPrivate: allowPrivateTargets,
    parse: (bytes) => parseStrictJson(bytes, ANSWER_BOUNDS),
    ...(resolve === undefined ? {} : { resolve }),
  });
  const all = deps.typeConcurrency === undefined ? bounds : { ...bounds, runningInGroup: deps.typeConcurrency };
  const dispatch = new Dispatch({ ...deps, targets, encode: encodeWork }, all, heartbeatEveryMs);
  const consumer = await log.consume(TOPICS.events, DISPATCHER_GROUP, dispatch);
  return {
    async stop() {
      await dispatch.stop(drainMs);
      await consumer.stop();
      await targets.close();
    },
  };
}
