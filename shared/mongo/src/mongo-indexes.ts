import type { Db, IndexDescription } from 'mongodb';

/** A declared index; its name is the query that needs it. */
export type DeclaredIndex = { collection: string; name: string; key: { [field: string]: 1 } };

/**
 * I1: every query of this adapter is answered from one of these, or from `_id`; test/cluster-stores holds that.
 * Everything about one task goes by `_id` (`tenantId/taskId/sequence`), so a page or a count of its history, filtered or not, reads that task's events and no
 * others. The rest needs these; each ends in the field that its answers are ordered and paged by. A page over a tenant is one query a type, whose answers are merged.
 */
export const INDEXES: readonly DeclaredIndex[] = [
  { collection: 'snapshots', name: 'due_in_a_partition', key: { partition: 1, wakeAt: 1, _id: 1 } },
  { collection: 'snapshots', name: 'waiting_for_a_task', key: { tenantId: 1, waitsFor: 1, taskId: 1 } },
  { collection: 'snapshots', name: 'tasks_by_status_and_type', key: { tenantId: 1, status: 1, type: 1, taskId: 1 } },
  { collection: 'snapshots', name: 'claimable_by_type', key: { tenantId: 1, type: 1, claimableSince: 1, taskId: 1 } },
  { collection: 'events', name: 'events_of_a_tenant_by_type', key: { tenantId: 1, type: 1, timestamp: 1, eventId: 1 } },
  { collection: 'events', name: 'events_of_an_actor_by_type', key: { tenantId: 1, actorId: 1, type: 1, timestamp: 1, eventId: 1 } },
  { collection: 'receipts', name: 'receipts_past_their_life', key: { partition: 1, at: 1 } },
];

/** Makes those that are missing; may be done by several processes at once. @throws when one of these names stands for another key. */
export async function createIndexes(db: Db): Promise<void> {
  const byCollection = Map.groupBy(INDEXES, ({ collection }) => collection);
  for (const [collection, indexes] of byCollection)
    await db.collection(collection).createIndexes(indexes.map(({ name, key }): IndexDescription => ({ name, key })));
}
