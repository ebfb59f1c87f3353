import { type Event, NO_HASH, type StoredEvent } from '@retrigger/domain/event.ts';
import { firstBreak } from '@retrigger/domain/event-hash.ts';
import type { DocumentStore } from '@retrigger/ports/document-store.ts';
import type { EventStore } from '@retrigger/ports/event-store.ts';
import { type ArchiveLine, readLine } from './archive-lines.ts';
import { archivedOf, NOTHING_ARCHIVED, saveArchived } from './archived-events.ts';

export type RestorePorts = { events: Pick<EventStore, 'append'>; documents: Pick<DocumentStore, 'read' | 'write'> };

/** `line`: the one that is wrong. Nothing was written then. */
export type Restored = { kind: 'restored'; streams: number; events: number } | { kind: 'refused'; line: number; reason: string };

/** What came of it, for people. */
export const tellRestored = (path: string, restored: Restored): { isDone: boolean; message: string } =>
  restored.kind === 'restored'
    ? { isDone: true, message: `${restored.events} events of ${restored.streams} streams are back` }
    : { isDone: false, message: `retrigger: ${path}, line ${restored.line}: ${restored.reason}. Nothing was put back` };

const EVENTS_AT_ONCE = 500;

type Begin = ArchiveLine & { kind: 'begin' };
type Stream = { begin: Begin; last: number };

/**
 * Puts the events of an archive back where they were; done twice it changes nothing. `read` reads its lines, twice: what is wrong is found before anything is
 * written.
 * V6: a stream is put back only where it fits: its end is where the stored history begins, so of several archives the youngest comes first.
 * V7: its chain is followed from the hash that it begins with to the one that it ends with.
 */
export async function restoreArchive(ports: RestorePorts, read: () => AsyncIterable<string>): Promise<Restored> {
  const checked = await check(ports, read());
  if ('reason' in checked) return { kind: 'refused', ...checked };
  const { streams, events } = checked;
  let key = '';
  let waiting: StoredEvent[] = [];
  for await (const text of read()) {
    const line = readLine(text, key);
    if (line?.kind === 'begin') key = line.key;
    if (line?.kind === 'event') waiting.push(line.stored);
    if (waiting.length < EVENTS_AT_ONCE && line?.kind !== 'end') continue;
    await append(ports, waiting);
    waiting = [];
  }
  for (const { begin, last } of streams) {
    const archived = await archivedOf(ports.documents, begin.key);
    const { first, previousHash: hash, state } = begin;
    if (archived.last === last)
      await saveArchived(ports.documents, begin.key, first === 1 ? NOTHING_ARCHIVED : { ...archived, last: first - 1, hash, state }, true);
  }
  return { kind: 'restored', streams: streams.length, events };
}

/** A name that is taken is that very event's; behind it the others of its key are still to be put. */
async function append({ events }: RestorePorts, stored: StoredEvent[]): Promise<void> {
  if ((await events.append(stored)).kind === 'stored') return;
  for (const one of stored) await events.append([one]);
}

async function check(
  ports: RestorePorts,
  lines: AsyncIterable<string>,
): Promise<{ streams: Stream[]; events: number } | { line: number; reason: string }> {
  const streams: Stream[] = [];
  let [number, events] = [0, 0];
  let begin: Begin | undefined;
  let next = { sequence: 0, hash: NO_HASH };
  for await (const text of lines) {
    number++;
    const wrong = (reason: string) => ({ line: number, reason });
    const line = readLine(text, begin?.key ?? '');
    if (line === undefined) return wrong('is no line of an archive');
    if (line.kind === 'begin') {
      if (begin !== undefined) return wrong('begins a stream inside another one');
      begin = line;
      next = { sequence: line.first, hash: line.previousHash };
    } else if (begin === undefined) return wrong('stands in no stream');
    else if (line.kind === 'event') {
      const broken = firstBreak([line.stored.event as Event], next.sequence, next.hash); // V7
      if (broken !== undefined) return wrong(broken.reason);
      next = { sequence: next.sequence + 1, hash: line.stored.event.hash };
      events++;
    } else {
      if (line.key !== begin.key || line.last !== next.sequence - 1 || line.hash !== next.hash)
        return wrong('is not the end of its stream'); // V7
      const { last } = await archivedOf(ports.documents, begin.key);
      if (last >= begin.first && last !== line.last) return wrong(`the archive that ends with event ${last} comes first`); // V6
      streams.push({ begin, last: line.last });
      begin = undefined;
    }
  }
  return begin === undefined ? { streams, events } : { line: number, reason: 'ends inside a stream' };
}
