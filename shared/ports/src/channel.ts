import type { Event } from '@retrigger/domain/event.ts';

/** What a subscriber is told: an event, or that its subscription works. */
export type Notification = {
  /** Stays the same when it is sent again, so that a receiver can drop what it has. */
  id: string;
  /** ISO 8601. */
  timestamp: string;
  /** Of an event its JSON, byte for byte as it is stored and hashed. */
  about: { kind: 'event'; event: Event; json: string; isCritical: boolean } | { kind: 'test'; subscriptionId: string };
};

/** Where it goes: a URL or a mail address, and the secret to sign with where the channel signs. */
export type Recipient = { address: string; secret: Buffer };

/** The reason is shown to the tenant: it holds no address, header, body or secret. */
export type Sent = { kind: 'delivered' } | { kind: 'failed'; reason: string };

/**
 * One way to reach people and programs.
 * C1: `send` never rejects, and ends within the channel's own time-out whatever the receiver does. C2: `delivered` means that the receiver has taken it.
 * Not the channel's: trying again, order, who is told what.
 */
export interface Channel {
  send(notification: Notification, to: Recipient, aborted: AbortSignal): Promise<Sent>;
  /** Ends kept connections, and what still runs. */
  close(): Promise<void>;
}
