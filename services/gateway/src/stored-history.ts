import type { StoredEvent } from '@retrigger/domain/event.ts';
import { formatInstant } from '@retrigger/domain/instant.ts';
import type { EventFilter, EventStore } from '@retrigger/ports/event-store.ts';

const FIRST_CHUNK = 100;
const LARGEST_CHUNK = 500;
const CHUNK_CHARACTERS = 1_048_576;

/** The last instant whose text sorts like its time. */
export const LATEST = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** The bound that an instant (epoch ms) is just within, as a filter takes it. */
export const justAfter = (at: number): string => formatInstant(Math.min(at + 1, LATEST));

/**
 * Events from one end to the other, in chunks.
 * W1: no more than one chunk is held, and a chunk is made smaller when events are large: memory stays bounded however long the history is.
 * Events that are added meanwhile are among them when they lie ahead.
 */
export async function* inChunks<P>(
  page: (after: P | null, limit: number, characters: number) => Promise<StoredEvent[]>,
  placeOf: (stored: StoredEvent) => P,
): AsyncGenerator<StoredEvent[], void> {
  let limit = FIRST_CHUNK;
  for (let after: P | null = null; ; ) {
    const chunk = await page(after, limit, CHUNK_CHARACTERS);
    const last = chunk.at(-1);
    if (last === undefined) return;
    yield chunk;
    const characters = chunk.reduce((sum, { json }) => sum + json.length, 0);
    if (chunk.length < limit && characters < CHUNK_CHARACTERS) return;
    after = placeOf(last);
    limit = Math.min(LARGEST_CHUNK, Math.max(1, Math.floor((CHUNK_CHARACTERS * chunk.length) / characters)));
  }
}

/** A task's events that match, from the first to the last, in chunks. */
export const eventsOf = (events: Pick<EventStore, 'page'>, key: string, filter: EventFilter): AsyncGenerator<StoredEvent[], void> =>
  inChunks<number>(
    (after, limit, characters) => events.page(key, filter, { after, limit, order: 'asc', characters }),
    ({ event }) => event.sequence,
  );
