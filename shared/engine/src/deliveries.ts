import type { JsonObject } from '@retrigger/domain/json.ts';
import type { Document } from '@retrigger/ports/document-store.ts';

/** What one subscriber is still to be told. The event itself is in the event store; this names it. Times are epoch ms. */
export type Delivery = {
  tenantId: string;
  subscriptionId: string;
  /** Its document's id, unique over all kinds. */
  id: string;
  /** The events of one line are told in order: a task's, or what somebody asked for alone. */
  line: string;
  /** Null: a test of the subscription. */
  event: { key: string; sequence: number } | null;
  /** Where the event's record stands in the events topic, and its log time. */
  source: { partition: number; offset: number; at: number };
  attempts: number;
  dueAt: number;
  storedAt: number;
};

/** A delivery with the document that stands for it. */
export type StoredDelivery = Delivery & { kind: string; version: number };

/** What the events of one partition led to, in the order of their records. The owner of the partition delivers them. */
export const deliveriesFrom = (partition: number): string => `delivery.${partition}`;

/** What a person asked for: a test, or a dead letter again. Whoever owns the partition of its line looks for them. */
export const ASKED_DELIVERIES = 'delivery.asked';

const OFFSET_DIGITS = 16;

/** In text order a subscription's deliveries of a partition stand in the order of their records. */
export const deliveryId = (subscriptionId: string, offset: number): string =>
  `${subscriptionId}.${String(offset).padStart(OFFSET_DIGITS, '0')}`;

export function deliveryDocument({ tenantId, id, kind, version, ...body }: StoredDelivery): Document {
  return { kind, tenantId, id, version, body: body satisfies JsonObject };
}

export const deliveryOf = ({ kind, tenantId, id, version, body }: Document): StoredDelivery =>
  ({ ...body, kind, tenantId, id, version }) as unknown as StoredDelivery;
