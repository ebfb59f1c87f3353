import type { EventCodec } from '@retrigger/contract/event-codec.ts';
import type { ChannelName } from '@retrigger/domain/subscription.ts';
import type { ShowEvents } from '@retrigger/engine/emit.ts';
import { subscriptionsIn } from '@retrigger/engine/subscriptions.ts';
import { supervise } from '@retrigger/lifecycle/supervise.ts';
import type { Channel } from '@retrigger/ports/channel.ts';
import type { Clock } from '@retrigger/ports/clock.ts';
import type { DocumentStore } from '@retrigger/ports/document-store.ts';
import type { EventStore } from '@retrigger/ports/event-store.ts';
import { type Log, TOPICS } from '@retrigger/ports/log.ts';
import type { Observer } from '@retrigger/ports/observer.ts';
import type { Secrets } from '@retrigger/ports/secrets.ts';
import type { SnapshotStore } from '@retrigger/ports/snapshot-store.ts';
import { AskedDeliveries } from './asked-deliveries.ts';
import { Attempts, type DeliveryPolicy } from './attempts.ts';
import { BACKLOG_BOUNDS, type BacklogBounds } from './backlog.ts';
import { collectDeadLetters } from './collect-dead-letters.ts';
import { DeliveryLanes } from './delivery-lanes.ts';
import { Notify } from './notify.ts';
import { SubscriptionBook } from './subscription-book.ts';

export const NOTIFIER_GROUP = 'retrigger.notifier';
export const COLLECTOR_GROUP = 'retrigger.dead-letter-collector';

export type NotifierDeps = {
  log: Log;
  documents: DocumentStore;
  events: Pick<EventStore, 'read'>;
  snapshots: Pick<SnapshotStore, 'load'>;
  eventCodec: EventCodec;
  showEvents: ShowEvents;
  /** Closed with the notifier. */
  channels: Record<ChannelName, Channel>;
  secrets: Secrets;
  clock: Clock;
  observer: Observer;
  policy: DeliveryPolicy;
  bounds?: BacklogBounds;
};

export type Notifier = { stop(): Promise<void> };

/** Joins the notifiers' group, tells subscribers, and collects dead letters, until stopped. */
export async function createNotifier(deps: NotifierDeps): Promise<Notifier> {
  const { log, documents, eventCodec, channels, clock, observer, policy, bounds = BACKLOG_BOUNDS } = deps;
  const stopping = new AbortController();
  const subscriptions = subscriptionsIn(documents);
  const book = new SubscriptionBook(subscriptions, clock);
  const attempts = new Attempts({ ...deps, subscriptions, book, encodeEvent: eventCodec.encode }, policy, stopping.signal);
  const lanes = new DeliveryLanes({ clock, attempt: (delivery, health) => attempts.attempt(delivery, health) });
  const notify = new Notify({ ...deps, book, lanes, bounds });
  const asked = new AskedDeliveries({ documents, log, clock, owned: notify.owned });
  const consumers = [
    await log.consume(TOPICS.events, NOTIFIER_GROUP, notify),
    await log.consume(TOPICS.deadLetters, COLLECTOR_GROUP, collectDeadLetters(documents)),
  ];
  const looking = supervise('looking for asked deliveries', () => asked.turn(), { clock, observer });
  return {
    async stop() {
      await looking.stop();
      stopping.abort(); // what is broken off is made again: its document is still there
      await lanes.stop();
      for (const consumer of consumers) await consumer.stop();
      await Promise.all(Object.values(channels).map((channel) => channel.close()));
    },
  };
}
