import type { StoredEvent } from '@retrigger/domain/event.ts';
import { formatInstant } from '@retrigger/domain/instant.ts';
import type { EventFilter, EventStore } from '@retrigger/ports/event-store.ts';

const FIRST_CHUNK = 100;
const LARGEST_CHUNK = 500;
const CHUNK_CHARACTERS = 1_048_576;

/** The last instant whose text sorts like its time. */
const LATEST = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** The bound that an instant (epoch ms) is just within, as a filter takes it. */
export const justAfter = (at: number): string => formatInstant(Math.min(at + 1, LATEST));

/**
 * A task's events that match, from one end to the other, in chunks.
 * W1: no more than one chunk is held, and a chunk is made smaller when events are large: memory stays bounded however long the history is.
 * Events that are added meanwhile are among them when they lie ahead.
 */
export async function* inChunks(
  events: Pick<EventStore, 'page'>,
  key: string,
  filter: EventFilter,
  order: 'asc' | 'desc' = 'asc',
): AsyncGenerator<StoredEvent[], void> {
  let limit = FIRST_CHUNK;
  for (let after: number | null = null; ; ) {
    const chunk: StoredEvent[] = await events.page(key, filter, { after, limit, order });
    const last = chunk.at(-1);
    if (last === undefined) return;
    yield chunk;
    if (chunk.length < limit) return;
    after = last.event.sequence;
    const characters = chunk.reduce((sum, { json }) => sum + json.length, 0);
    limit = Math.min(LARGEST_CHUNK, Math.max(1, Math.floor((CHUNK_CHARACTERS * chunk.length) / characters)));
  }
}
