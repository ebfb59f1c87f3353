import type { EventCodec } from '@retrigger/contract/event-codec.ts';
import { backoff } from '@retrigger/domain/backoff.ts';
import { chance } from '@retrigger/domain/chance.ts';
import type { StoredEvent } from '@retrigger/domain/event.ts';
import type { ChannelName } from '@retrigger/domain/subscription.ts';
import { ASKED_DELIVERIES, deliveryDocument, type StoredDelivery } from '@retrigger/engine/deliveries.ts';
import type { ShowEvents } from '@retrigger/engine/emit.ts';
import type { Subscriptions, VersionedSubscription } from '@retrigger/engine/subscriptions.ts';
import type { Channel, Notification, Sent } from '@retrigger/ports/channel.ts';
import type { Clock } from '@retrigger/ports/clock.ts';
import type { DocumentStore } from '@retrigger/ports/document-store.ts';
import type { EventStore } from '@retrigger/ports/event-store.ts';
import { type Log, TOPICS } from '@retrigger/ports/log.ts';
import type { Observer } from '@retrigger/ports/observer.ts';
import type { Secrets } from '@retrigger/ports/secrets.ts';
import type { Attempted, Health } from './delivery-lane.ts';
import type { SubscriptionBook } from './subscription-book.ts';
import { undelivered } from './undelivered.ts';

export type AttemptPorts = {
  log: Pick<Log, 'append'>;
  documents: Pick<DocumentStore, 'write' | 'remove'>;
  subscriptions: Pick<Subscriptions, 'change'>;
  book: SubscriptionBook;
  events: Pick<EventStore, 'read'>;
  encodeEvent: EventCodec['encode'];
  /** Events as they may leave. */
  showEvents: ShowEvents;
  channels: Record<ChannelName, Channel>;
  secrets: Secrets;
  clock: Clock;
  observer: Observer;
};

/** How hard is tried. */
export type DeliveryPolicy = {
  /** Of one delivery, before it is given up. */
  attempts: number;
  /** Before the second attempt; doubled for each one after it, up to 5 minutes, half of it by chance. */
  retryMs: number;
  /** So long a delivery is kept, also while its subscription is paused. */
  holdMs: number;
  /** So many given up in a row pause a subscription. */
  pauseAfter: number;
};

const LONGEST_RETRY_MS = 300_000;
/** How often a paused subscription is looked at. */
const HELD_MS = 2_000;
/** After something of ours did not answer. */
const TROUBLE_MS = 1_000;

/**
 * One attempt to tell a subscriber something.
 * W2: the document of a delivery goes only when the subscriber has taken it, or its dead letter is in the log, or its subscription is gone. What a crash leaves
 * between the two is done again, with the same webhook-id.
 * The dead letter of an event holds it as it is stored, not as it was sent: names that are erased later are not in it.
 * W8: what an arrival changes in the subscription is stored before the document goes, or a crash between the two would leave it paused.
 * W3: an attempt is counted only when the subscriber failed; what is broken off by a stop, or fails on our side, is not.
 */
export class Attempts {
  readonly #ports: AttemptPorts;
  readonly #policy: DeliveryPolicy;
  readonly #stopping: AbortSignal;

  constructor(ports: AttemptPorts, policy: DeliveryPolicy, stopping: AbortSignal) {
    this.#ports = ports;
    this.#policy = policy;
    this.#stopping = stopping;
  }

  /** Never rejects. */
  async attempt(delivery: StoredDelivery, health: Health): Promise<Attempted> {
    const { clock, observer } = this.#ports;
    try {
      return await this.#attempt(delivery, health);
    } catch (error) {
      observer.log('error', 'a delivery could not be attempted; it is tried again', { delivery: delivery.id, error: String(error) });
      return { kind: 'later', delivery: { ...delivery, dueAt: clock.now() + TROUBLE_MS } };
    }
  }

  async #attempt(delivery: StoredDelivery, health: Health): Promise<Attempted> {
    const { book, events, clock } = this.#ports;
    const { tenantId, subscriptionId, event, storedAt } = delivery;
    const subscription = await book.current(tenantId, subscriptionId);
    if (subscription === undefined) {
      Object.assign(health, HEALTHY);
      return this.#over(delivery, 'none', 'subscription_gone');
    }
    if (event === null) return this.#test(delivery, subscription, health);
    const isTooOld = clock.now() - storedAt >= this.#policy.holdMs;
    const isHeld = subscription.paused !== null && delivery.kind !== ASKED_DELIVERIES; // Q3
    if (!isTooOld && isHeld) return { kind: 'held', until: clock.now() + HELD_MS };
    const [stored] = await events.read(event.key, { from: event.sequence, to: event.sequence, limit: 1, order: 'asc' });
    if (isTooOld) return this.#giveUp(delivery, subscription, stored, 'it could not be delivered in time');
    if (stored === undefined) return this.#giveUp(delivery, subscription, stored, 'its event is not stored any more');
    const [shown = stored] = await this.#ports.showEvents([stored]);
    const { eventId, timestamp } = shown.event;
    const about = { kind: 'event', event: shown.event, json: shown.json, isCritical: subscription.criticalOnly } as const;
    const sent = await this.#send(subscription, { id: eventId, timestamp, about });
    if (sent.kind === 'delivered') {
      Object.assign(health, HEALTHY);
      this.#ports.observer.measure('notification_seconds', Math.max(0, clock.now() - delivery.source.at) / 1000, {
        channel: subscription.channel,
      });
      if (delivery.kind !== ASKED_DELIVERIES) return this.#over(delivery, subscription.channel, 'delivered');
      await this.#resume(subscription); // W8
      await this.#over(delivery, subscription.channel, 'delivered');
      return { kind: 'over', resumed: true };
    }
    if (this.#stopping.aborted) return { kind: 'later', delivery }; // W3
    return this.#failed(delivery, subscription, stored, sent.reason, health);
  }

  #send(subscription: VersionedSubscription, notification: Notification): Promise<Sent> {
    const { tenantId, id, channel, address, generation } = subscription;
    const secret = this.#ports.secrets.derive('subscription', tenantId, id, generation);
    return this.#ports.channels[channel].send(notification, { address, secret }, this.#stopping);
  }

  async #failed(
    delivery: StoredDelivery,
    subscription: VersionedSubscription,
    stored: StoredEvent,
    reason: string,
    health: Health,
  ): Promise<Attempted> {
    const { observer, clock, documents } = this.#ports;
    const { channel, id } = subscription;
    const attempts = delivery.attempts + 1;
    const level = health.isFailing ? 'debug' : 'warn'; // the first one in a row is told
    health.isFailing = true;
    observer.count('notifications_total', { channel, outcome: 'failed' });
    observer.log(level, 'a notification could not be delivered', { subscription: id, delivery: delivery.id, attempts, reason });
    if (attempts >= this.#policy.attempts) {
      health.givenUpInARow++;
      if (health.givenUpInARow >= this.#policy.pauseAfter) await this.#pause(subscription, reason);
      return this.#giveUp({ ...delivery, attempts }, subscription, stored, reason);
    }
    const pause = { baseMs: this.#policy.retryMs, maxMs: LONGEST_RETRY_MS, jitter: 'equal', retryCount: attempts - 1 } as const;
    const dueAt = clock.now() + backoff(pause, chance(delivery.id, attempts)).delayMs;
    const next = { ...delivery, attempts, dueAt, version: delivery.version + 1 };
    await documents.write(deliveryDocument(next)); // a conflict: the partition has another owner, who attempts it too
    return { kind: 'later', delivery: next };
  }

  async #giveUp(
    delivery: StoredDelivery,
    { channel }: VersionedSubscription,
    stored: StoredEvent | undefined,
    reason: string,
  ): Promise<Attempted> {
    const { log, encodeEvent, observer } = this.#ports;
    const value = stored === undefined ? new Uint8Array() : encodeEvent(stored);
    await log.append(TOPICS.deadLetters, [undelivered(delivery, value, reason)]); // W2
    observer.count('dead_letters_total', { source: TOPICS.events });
    observer.log('error', 'a notification is given up; it goes to the dead letters', {
      ...{ subscription: delivery.subscriptionId, delivery: delivery.id, attempts: delivery.attempts, reason },
    });
    return this.#over(delivery, channel, 'given_up');
  }

  async #pause({ tenantId, id, channel }: VersionedSubscription, reason: string): Promise<void> {
    const { subscriptions, book, clock, observer } = this.#ports;
    const at = new Date(clock.now()).toISOString();
    await subscriptions.change(tenantId, id, ({ paused }) => ({ paused: paused ?? { at, reason } }));
    book.forget(tenantId);
    observer.count('subscriptions_paused_total', { channel });
    observer.log('error', 'a subscription keeps failing and is paused; a test or a redriven dead letter that arrives resumes it', {
      tenantId,
      subscription: id,
      reason,
    });
  }

  async #resume({ tenantId, id }: VersionedSubscription): Promise<void> {
    const { subscriptions, book, observer } = this.#ports;
    await subscriptions.change(tenantId, id, () => ({ paused: null }));
    book.forget(tenantId);
    observer.log('info', 'a subscription is resumed', { tenantId, subscription: id });
  }

  async #test(delivery: StoredDelivery, subscription: VersionedSubscription, health: Health): Promise<Attempted> {
    const { subscriptions, book, clock, observer } = this.#ports;
    const { tenantId, id, channel } = subscription;
    const timestamp = new Date(clock.now()).toISOString();
    const sent = await this.#send(subscription, { id: delivery.id, timestamp, about: { kind: 'test', subscriptionId: id } });
    if (sent.kind === 'failed' && this.#stopping.aborted) return { kind: 'later', delivery };
    const reason = sent.kind === 'failed' ? sent.reason : null;
    await subscriptions.change(tenantId, id, () => ({ lastTest: { at: timestamp, reason }, ...(reason === null ? { paused: null } : {}) }));
    book.forget(tenantId);
    observer.log('info', 'a subscription was tested', { tenantId, subscription: id, reason });
    const over = await this.#over(delivery, channel, reason === null ? 'test_delivered' : 'test_failed');
    if (reason !== null) return over;
    Object.assign(health, HEALTHY);
    return { kind: 'over', resumed: true };
  }

  async #over(delivery: StoredDelivery, channel: ChannelName | 'none', outcome: string): Promise<Attempted> {
    await this.#ports.documents.remove(delivery.kind, delivery.tenantId, delivery.id);
    this.#ports.observer.count('notifications_total', { channel, outcome });
    return { kind: 'over' };
  }
}

const HEALTHY: Health = { isFailing: false, givenUpInARow: 0 };
