import type { StoredEvent } from '@retrigger/domain/event.ts';
import { firstBreak } from '@retrigger/domain/event-hash.ts';
import { derive } from '@retrigger/domain/identifiers.ts';
import { formatInstant } from '@retrigger/domain/instant.ts';
import type { JsonObject } from '@retrigger/domain/json.ts';
import type { DocumentStore } from '@retrigger/ports/document-store.ts';
import type { EventArchive, RemovableEvents } from '@retrigger/ports/event-archive.ts';
import type { EventStore } from '@retrigger/ports/event-store.ts';
import type { Observer } from '@retrigger/ports/observer.ts';
import type { Snapshot, SnapshotStore } from '@retrigger/ports/snapshot-store.ts';
import type { AnyDecider } from './aggregate.ts';
import { beginLine, endLine, eventLine } from './archive-lines.ts';
import { type Archived, archivedOf, saveArchived } from './archived-events.ts';

export type ArchivePorts = {
  events: Pick<EventStore, 'page'> & RemovableEvents;
  snapshots: Pick<SnapshotStore, 'list'>;
  documents: Pick<DocumentStore, 'read' | 'write'>;
  archive: EventArchive;
  decider: Pick<AnyDecider, 'evolve'>;
  observer: Pick<Observer, 'log'>;
};

/** Records of the work log are delivered again, and receipts kept, for 24 h: events that are younger than twice that stay, whatever a tenant wishes. */
export const LEAST_AGE_MS = 48 * 3_600_000;
const TASKS_AT_ONCE = 200;
const EVENTS_AT_ONCE = 500;
/** A file ends with the stream that has filled it. */
const EVENTS_IN_A_FILE = 100_000;

/** A stream whose first events are in a file that is not finished yet. */
type Moved = { key: string; archived: Archived };

/**
 * Moves a tenant's events that are older than `before` (epoch ms) into archives; returns how many.
 * V3: only first events of a stream go, and never its last: what is stored begins with the hash that the archive ends with, and the snapshot stands behind it.
 * V4: a file is durable before it is remembered, and remembered before its events are taken away: whatever stops it, no event is nowhere, and the next time does the rest.
 * V5: a chain that is broken is archived up to the break and no further: what was tampered with stays where it is looked at.
 */
export async function archiveTenant(
  ports: ArchivePorts,
  tenantId: string,
  statuses: readonly string[],
  before: number,
  now: number,
): Promise<number> {
  const bound = formatInstant(Math.min(before, now - LEAST_AGE_MS));
  const tasks = tasksOf(ports.snapshots, tenantId, statuses);
  let total = 0;
  for (;;) {
    const moved: Moved[] = [];
    const lines = linesOf(ports, tasks, bound, moved);
    const first = await lines.next();
    if (first.done) return total;
    const name = `tenant-${tenantId}/${now}-${derive('archive', first.value)}.jsonl.gz`; // no two begin with the same line
    await ports.archive.write(name, startingWith(first.value, lines));
    for (const { key, archived } of moved) {
      await saveArchived(ports.documents, key, archived); // V4
      total += await ports.events.removeFirst(key, archived.last);
    }
  }
}

async function* tasksOf(
  snapshots: ArchivePorts['snapshots'],
  tenantId: string,
  statuses: readonly string[],
): AsyncGenerator<Snapshot, void> {
  for (let after: Snapshot | null = null; ; ) {
    const found: Snapshot[] = await snapshots.list(tenantId, { statuses }, after, TASKS_AT_ONCE);
    yield* found;
    after = found.at(-1) ?? null;
    if (found.length < TASKS_AT_ONCE) return;
  }
}

/** The lines of one file; what is in it is added to `moved`. */
async function* linesOf(
  ports: ArchivePorts,
  tasks: AsyncGenerator<Snapshot, void>,
  bound: string,
  moved: Moved[],
): AsyncGenerator<string, void> {
  for (let written = 0; written < EVENTS_IN_A_FILE; ) {
    const next = await tasks.next();
    if (next.done) return;
    const { key, head } = next.value;
    const before = await archivedOf(ports.documents, key);
    if (before.last > 0) await ports.events.removeFirst(key, before.last); // V4: what a crash has left
    let archived = before;
    for await (const stored of firstOf(ports, key, bound, before, head.sequence)) {
      const { sequence, hash, timestamp } = stored.event;
      if (archived === before) yield beginLine(key, sequence, before.hash, before.state);
      yield eventLine(stored);
      archived = {
        last: sequence,
        hash,
        at: timestamp,
        state: ports.decider.evolve(archived.state ?? undefined, stored.event) as JsonObject,
      };
      written++;
    }
    if (archived === before) continue;
    yield endLine(key, archived.last, archived.hash);
    moved.push({ key, archived });
  }
}

/** V3, V5. The events of a stream that may go, in order. */
async function* firstOf(
  { events, observer }: ArchivePorts,
  key: string,
  bound: string,
  { last, hash }: Archived,
  head: number,
): AsyncGenerator<StoredEvent, void> {
  let [sequence, previousHash] = [last + 1, hash];
  for (;;) {
    const chunk = await events.page(key, { before: bound }, { after: sequence - 1, limit: EVENTS_AT_ONCE, order: 'asc' });
    for (const stored of chunk) {
      if (stored.event.sequence >= head) return;
      const broken = firstBreak([stored.event], sequence, previousHash);
      if (broken !== undefined) {
        observer.log('error', 'the history of a task is broken; it is not archived', { ...broken });
        return;
      }
      yield stored;
      [sequence, previousHash] = [sequence + 1, stored.event.hash];
    }
    if (chunk.length < EVENTS_AT_ONCE) return;
  }
}

async function* startingWith(first: string, rest: AsyncGenerator<string, void>): AsyncGenerator<string, void> {
  yield first;
  yield* rest;
}
