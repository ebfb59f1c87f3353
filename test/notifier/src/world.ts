import { jsonEvents } from '@retrigger/contract/event-codec.ts';
import type { StoredEvent } from '@retrigger/domain/event.ts';
import type { Subscription } from '@retrigger/domain/subscription.ts';
import { deadLettersIn } from '@retrigger/engine/dead-letter-store.ts';
import { subscriptionsIn } from '@retrigger/engine/subscriptions.ts';
import { systemClock } from '@retrigger/lifecycle/system-clock.ts';
import { MemoryDocumentStore } from '@retrigger/memory/memory-document-store.ts';
import { MemoryEventStore } from '@retrigger/memory/memory-event-store.ts';
import { MemoryLog } from '@retrigger/memory/memory-log.ts';
import { createNotifier, NOTIFIER_GROUP, type Notifier, type NotifierDeps } from '@retrigger/notifier/notifier.ts';
import type { Channel, Notification, Sent } from '@retrigger/ports/channel.ts';
import { type Log, type RecordHandler, TOPICS } from '@retrigger/ports/log.ts';
import { silent } from '@retrigger/ports/observer.ts';
import { unobserved } from '@retrigger/ports/reached.ts';
import type { Snapshot } from '@retrigger/ports/snapshot-store.ts';
import { sampleStream } from '@retrigger/test-contract/samples.ts';

export const TENANT = 'acme';

/** A channel that does as a test says, and remembers what it was told for which address. */
export class ScriptedChannel implements Channel {
  readonly sent: { address: string; notification: Notification }[] = [];
  #running = 0;
  /** The most sends that ran at once. */
  most = 0;
  answer: (address: string, notification: Notification) => Sent | Promise<Sent> = () => ({ kind: 'delivered' });

  async send(notification: Notification, { address }: { address: string }, aborted: AbortSignal): Promise<Sent> {
    this.sent.push({ address, notification });
    this.most = Math.max(this.most, ++this.#running);
    const broken = new Promise<Sent>((resolve) =>
      aborted.addEventListener('abort', () => resolve({ kind: 'failed', reason: 'broken off' })),
    );
    return Promise.race([this.answer(address, notification), broken]).finally(() => this.#running--);
  }

  async close(): Promise<void> {}

  /** `task/sequence` of what went to an address. */
  to = (address: string): string[] =>
    this.sent.flatMap((one) =>
      one.address === address && one.notification.about.kind === 'event'
        ? [`${one.notification.about.event.taskId}/${one.notification.about.event.sequence}`]
        : [],
    );
}

export const HANGS = new Promise<never>(() => {});
export const failed: Sent = { kind: 'failed', reason: 'It answered 500' };

/** What outlives a notifier, and notifiers on it. */
export class World {
  readonly log = new MemoryLog({ [TOPICS.work]: 1, [TOPICS.events]: 2, [TOPICS.deadLetters]: 1 }, systemClock, unobserved);
  readonly documents = new MemoryDocumentStore();
  readonly events = new MemoryEventStore(unobserved);
  readonly channel = new ScriptedChannel();
  readonly critical = new Map<string, boolean>();
  readonly #notifiers: Notifier[] = [];

  async subscribe(id: string, more: Partial<Subscription> = {}): Promise<void> {
    await subscriptionsIn(this.documents).make({
      ...{ tenantId: TENANT, id, channel: 'webhook', address: id, events: null, tasks: null, criticalOnly: false },
      ...{ createdAt: '2026-03-01T00:00:00.000Z', generation: 1, paused: null, lastTest: null },
      ...more,
    });
  }

  subscription = (id: string) => subscriptionsIn(this.documents).read(TENANT, id);

  /** Events that a worker has stored and told. */
  async happens(taskId: string, count: number): Promise<StoredEvent[]> {
    const stored = sampleStream(TENANT, taskId, count);
    await this.events.append(stored);
    await this.tell(stored);
    return stored;
  }

  tell = (stored: StoredEvent[]): Promise<void> =>
    this.log.append(
      TOPICS.events,
      stored.map((one) => ({ key: one.key, value: Buffer.from(one.json), headers: { eventType: one.event.eventType } })),
    );

  /** `task/sequence` of what went to the dead letters, each once. */
  letters = async (): Promise<string[]> =>
    (await deadLettersIn(this.documents).list(TENANT, 'open', null, 1_000)).map(
      ({ key, notification }) => `${key.split('/')[1]}/${notification?.sequence}`,
    );

  committed = (): number => [0, 1].reduce((sum, partition) => sum + this.log.committed(TOPICS.events, NOTIFIER_GROUP, partition), 0);

  /** A process whose commits never reach the log. */
  logThatCommitsNothing(): Log {
    const { log } = this;
    return Object.assign(Object.create(log) as Log, {
      append: log.append.bind(log),
      partitionOf: log.partitionOf.bind(log),
      consume: (topic: string, group: string, handler: RecordHandler) =>
        log.consume(topic, group, {
          assigned: (partitions) => handler.assigned(partitions),
          revoked: (partitions) => handler.revoked(partitions),
          batch: (partition, records) => handler.batch(partition, records, async () => false),
        }),
    });
  }

  /** Everything that is stored to be delivered. */
  async waiting(): Promise<string[]> {
    const kinds = ['delivery.0', 'delivery.1', 'delivery.asked'];
    return (await Promise.all(kinds.map((kind) => this.documents.listAll(kind, null, 10_000)))).flat().map(({ id }) => id);
  }

  async start(more: Partial<NotifierDeps> = {}): Promise<Notifier> {
    const { log, documents, events, channel } = this;
    const notifier = await createNotifier({
      ...{
        log,
        documents,
        events,
        eventCodec: jsonEvents,
        clock: systemClock,
        observer: silent,
        showEvents: async (stored: StoredEvent[]) => stored,
      },
      snapshots: {
        load: async (keys) =>
          new Map(
            keys.flatMap((key) =>
              this.critical.has(key) ? [[key, { state: { critical: this.critical.get(key) } } as Snapshot] as const] : [],
            ),
          ),
      },
      channels: { webhook: channel, slack: channel, email: channel },
      secrets: { derive: (...parts) => Buffer.from(parts.join('/')) },
      policy: { attempts: 3, retryMs: 2, holdMs: 3_600_000, pauseAfter: 1_000 },
      ...more,
    });
    this.#notifiers.push(notifier);
    return notifier;
  }

  async end(): Promise<void> {
    await Promise.all(this.#notifiers.map((notifier) => notifier.stop()));
    await this.log.close();
  }
}
