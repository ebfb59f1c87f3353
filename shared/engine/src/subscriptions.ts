import type { JsonObject } from '@retrigger/domain/json.ts';
import type { Subscription } from '@retrigger/domain/subscription.ts';
import type { Document, DocumentStore } from '@retrigger/ports/document-store.ts';
import { RECEIPT_LIFE_MS } from '@retrigger/ports/receipt-store.ts';

const KIND = 'subscription';
/** What is remembered of one that has ended: by which command, and when. */
const ENDED = 'subscription.ended';

/** So many a tenant may have; two that are made at once at the bound may both be. */
export const MOST_SUBSCRIPTIONS = 100;
const MOST_READ = 1_000;
/** A call may be repeated for a day, and one that stood still goes on by then. */
const REMEMBERED_MS = 2 * RECEIPT_LIFE_MS;
const FORGOTTEN_AT_ONCE = 100;

export type VersionedSubscription = Subscription & { version: number };

export type Subscriptions = {
  /** Makes one; the same again is the same. E2: it does not bring back one that has ended, also when that was while this stood still. */
  make(subscription: Subscription): Promise<void>;
  read(tenantId: string, id: string): Promise<VersionedSubscription | undefined>;
  /** All of a tenant, in id order. */
  of(tenantId: string): Promise<VersionedSubscription[]>;
  /**
   * Whether it was this command that ended it. E1: it is, and says so, also when it is done again: by which command it ends is stored before it goes, and stays
   * for two days; E3: then it goes, when the tenant ends another. `now`: epoch ms.
   */
  remove(tenantId: string, id: string, by: { commandId: string; now: number }): Promise<boolean>;
  /** Changes one over whatever version stands there; undefined when there is none any more. */
  change(
    tenantId: string,
    id: string,
    change: (now: Subscription) => Partial<Pick<Subscription, 'paused' | 'lastTest'>>,
  ): Promise<VersionedSubscription | undefined>;
};

/** Subscriptions as documents. */
export function subscriptionsIn(documents: DocumentStore): Subscriptions {
  const read = async (tenantId: string, id: string) => {
    const found = await documents.read(KIND, tenantId, id);
    return found === undefined ? undefined : subscriptionOf(found);
  };
  const endedBy = async (tenantId: string, id: string) => (await documents.read(ENDED, tenantId, id))?.body.commandId;
  /** E3. */
  const forget = async (tenantId: string, before: number) => {
    const ended = await documents.list(ENDED, tenantId, null, FORGOTTEN_AT_ONCE);
    const old = ended.filter(({ body }) => Number(body.at) < before);
    await Promise.all(old.map(({ id }) => documents.remove(ENDED, tenantId, id)));
  };
  return {
    async make(subscription) {
      const { tenantId, id } = subscription;
      if ((await endedBy(tenantId, id)) === undefined) await documents.write(documentOf(subscription, 1));
      if ((await endedBy(tenantId, id)) !== undefined) await documents.remove(KIND, tenantId, id); // E2
    },
    read,
    of: async (tenantId) => (await documents.list(KIND, tenantId, null, MOST_READ)).map(subscriptionOf),
    async remove(tenantId, id, { commandId, now }) {
      if ((await read(tenantId, id)) !== undefined) {
        await forget(tenantId, now - REMEMBERED_MS);
        await documents.write({ kind: ENDED, tenantId, id, version: 1, body: { commandId, at: now } }); // E1
        await documents.remove(KIND, tenantId, id);
      }
      return (await endedBy(tenantId, id)) === commandId;
    },
    async change(tenantId, id, change) {
      for (;;) {
        const before = await read(tenantId, id);
        if (before === undefined) return undefined;
        const after = { ...before, ...change(before), version: before.version + 1 };
        if ((await documents.write(documentOf(after, after.version))) === 'written') return after;
      }
    },
  };
}

function documentOf(subscription: Subscription, version: number): Document {
  const { tenantId, id, version: _, ...body } = subscription as VersionedSubscription;
  return { kind: KIND, tenantId, id, version, body: body satisfies JsonObject };
}

const subscriptionOf = ({ tenantId, id, version, body }: Document): VersionedSubscription =>
  ({ ...body, tenantId, id, version }) as unknown as VersionedSubscription;
