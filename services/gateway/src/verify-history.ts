import type { Head } from '@retrigger/domain/event.ts';
import { firstBreak } from '@retrigger/domain/event-hash.ts';
import { type Archived, NOTHING_ARCHIVED } from '@retrigger/engine/archived-events.ts';
import type { EventStore } from '@retrigger/ports/event-store.ts';
import { type ArchivedPart, archivedPart } from './archived-part.ts';
import { inChunks } from './stored-history.ts';

/** `checked`: how many events of the chain are good. `firstBreak`: the first that isn't, or is missing. */
export type Verified = {
  valid: boolean;
  checked: number;
  firstBreak?: { sequence: number; reason: string };
  archived?: ArchivedPart;
};

/**
 * Follows a task's chain of hashes from its first event to its last.
 * K1: an event that was changed, removed, put in or put elsewhere breaks it; also the last ones, because the snapshot knows how far the chain went.
 * K2: a history whose first events are archived is followed from the hash that the archive ends with; `archived` says so, and how many those are.
 * `head` was read before, so events behind it may be there; none before it may be missing.
 */
export async function verifyHistory(
  events: Pick<EventStore, 'page'>,
  key: string,
  head: Head,
  archived = NOTHING_ARCHIVED,
): Promise<Verified> {
  const found = await followed(events, key, head, archived);
  return { ...found, ...archivedPart(archived) };
}

async function followed(events: Pick<EventStore, 'page'>, key: string, head: Head, archived: Archived): Promise<Verified> {
  let [sequence, previousHash] = [archived.last + 1, archived.hash];
  for await (const all of inChunks(events, key, {})) {
    const chunk = all.filter(({ event }) => event.sequence > archived.last);
    const found = firstBreak(
      chunk.map(({ event }) => event),
      sequence,
      previousHash,
    );
    if (found !== undefined) return broken(found.sequence, found.reason);
    const atHead = chunk.find(({ event }) => event.sequence === head.sequence);
    if (atHead !== undefined && atHead.event.hash !== head.hash) return broken(head.sequence, 'hash is not the one that was written');
    const last = chunk.at(-1);
    if (last !== undefined) [sequence, previousHash] = [last.event.sequence + 1, last.event.hash];
  }
  return sequence <= head.sequence
    ? broken(sequence, `it ends here, but ${head.sequence} were written`)
    : { valid: true, checked: sequence - 1 };
}

const broken = (sequence: number, reason: string): Verified => ({ valid: false, checked: sequence - 1, firstBreak: { sequence, reason } });
