import type { Head } from '@retrigger/domain/event.ts';
import { hashFault, linkFault, readEventText, textFault } from '@retrigger/domain/event-hash.ts';
import { type Archived, NOTHING_ARCHIVED } from '@retrigger/engine/archived-events.ts';
import type { EventStore, StoredText } from '@retrigger/ports/event-store.ts';
import { type ArchivedPart, archivedPart } from './archived-part.ts';

const CHUNK = 200;

/** `checked`: how many events of the chain are good. `firstBreak`: the first that isn't, or is missing. */
export type Verified = {
  valid: boolean;
  checked: number;
  firstBreak?: { sequence: number; reason: string };
  archived?: ArchivedPart;
};

/**
 * Follows a task's chain of hashes from its first event to its last, over the stored bytes.
 * K1: an event that was changed (if only in one byte, also where that leaves no JSON), removed, put in or put elsewhere breaks it; also the last ones, because the
 * snapshot knows how far the chain went.
 * K2: a history whose first events are archived is followed from the hash that the archive ends with; `archived` says so, and how many those are.
 * `head` was read before, so events behind it may be there; none before it may be missing.
 */
export async function verifyHistory(
  events: Pick<EventStore, 'texts'>,
  key: string,
  head: Head,
  archived = NOTHING_ARCHIVED,
): Promise<Verified> {
  const found = await followed(events, key, head, archived);
  return { ...found, ...archivedPart(archived) };
}

async function followed(events: Pick<EventStore, 'texts'>, key: string, head: Head, archived: Archived): Promise<Verified> {
  let [next, previousHash] = [archived.last + 1, archived.hash];
  for (;;) {
    const chunk = await events.texts(key, next - 1, CHUNK);
    for (const text of chunk) {
      const link = read(text, next, previousHash);
      if (link.kind === 'broken') return broken(next, link.reason);
      if (next === head.sequence && link.hash !== head.hash) return broken(next, 'hash is not the one that was written');
      [next, previousHash] = [next + 1, link.hash];
    }
    if (chunk.length < CHUNK) break;
  }
  return next <= head.sequence ? broken(next, `it ends here, but ${head.sequence} were written`) : { valid: true, checked: next - 1 };
}

function read(
  { sequence, json }: StoredText,
  next: number,
  previousHash: string,
): { kind: 'good'; hash: string } | { kind: 'broken'; reason: string } {
  if (sequence !== next) return { kind: 'broken', reason: `expected sequence ${next}, found ${sequence}` };
  const found = readEventText(json);
  if (found.kind === 'unreadable') return { kind: 'broken', reason: found.reason };
  const { event } = found;
  const reason = linkFault(event, next, previousHash) ?? hashFault(event) ?? textFault(event, json);
  return reason === undefined ? { kind: 'good', hash: event.hash } : { kind: 'broken', reason };
}

const broken = (sequence: number, reason: string): Verified => ({ valid: false, checked: sequence - 1, firstBreak: { sequence, reason } });
