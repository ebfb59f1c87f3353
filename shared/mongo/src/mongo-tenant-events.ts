import type { EventPlace, TenantCursor, TenantFilter } from '@retrigger/ports/event-store.ts';
import type { Collection, Filter } from 'mongodb';
import type { MongoConnection } from './mongo-client.ts';
import type { EventDocument } from './mongo-event-store.ts';

type Place = Pick<EventDocument, '_id' | 'timestamp' | 'eventId'>;

/**
 * The names of a page's events, in order: one query a type, each answered from the index alone and in its order, merged here. (A list of types would be sorted in
 * memory by some servers.)
 */
export async function namesOnPage(
  { retry }: Pick<MongoConnection, 'retry'>,
  events: Collection<EventDocument>,
  filter: TenantFilter,
  { after, limit, order }: TenantCursor,
): Promise<string[]> {
  if (limit === 0) return []; // which means no limit to MongoDB
  const [direction, sign] = order === 'asc' ? ([1, 1] as const) : ([-1, -1] as const);
  const options = {
    projection: { _id: 1, timestamp: 1, eventId: 1 },
    sort: { timestamp: direction, eventId: direction },
    limit,
    batchSize: limit + 1,
  } as const;
  const found = await Promise.all(
    filter.types.map((type) =>
      retry(() => events.find<Place>({ ...scopeOf(filter, type), ...behind(filter, after, order) }, options).toArray()),
    ),
  );
  return found
    .flat()
    .sort((a, b) => sign * (a.timestamp.getTime() - b.timestamp.getTime() || compare(a.eventId, b.eventId)))
    .slice(0, limit)
    .map(({ _id }) => _id);
}

export async function countOfTenant(
  { retry }: Pick<MongoConnection, 'retry'>,
  events: Collection<EventDocument>,
  filter: TenantFilter,
): Promise<number> {
  const counts = await Promise.all(
    filter.types.map((type) => retry(() => events.countDocuments({ ...scopeOf(filter, type), ...behind(filter, null, 'asc') }))),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const scopeOf = ({ tenantId, actorId }: TenantFilter, type: string): Filter<EventDocument> =>
  actorId === undefined ? { tenantId, type } : { tenantId, actorId, type };

/** The range of timestamps is where the index is entered; the alternatives only leave out what was given before at that same time. */
function behind({ from, before }: TenantFilter, after: EventPlace | null, order: 'asc' | 'desc'): Filter<EventDocument> {
  const [lowest, end] = [from === undefined ? new Date(0) : new Date(from), new Date(before)];
  if (after === null) return { timestamp: { $gte: lowest, $lt: end } };
  const at = new Date(after.timestamp);
  if (order === 'asc') {
    const timestamp = { $gte: at > lowest ? at : lowest, $lt: end };
    return { timestamp, $or: [{ timestamp: { $gt: at } }, { eventId: { $gt: after.eventId } }] };
  }
  const timestamp = at < end ? { $gte: lowest, $lte: at } : { $gte: lowest, $lt: end };
  return { timestamp, $or: [{ timestamp: { $lt: at } }, { eventId: { $lt: after.eventId } }] };
}
