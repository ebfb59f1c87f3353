import type { Clock } from '@retrigger/ports/clock.ts';
import type { Document, DocumentStore } from '@retrigger/ports/document-store.ts';

/** From this age on a document is read again while the old one still serves. */
const REFRESH_AFTER_MS = 1_500;
/** Older than this it serves nobody: what is changed elsewhere holds here a second before the 5 that are promised. */
const GOOD_FOR_MS = 4_000;
const MOST_ENTRIES = 10_000;

type Name = { kind: string; tenantId: string; id: string };
/** `at`: when its reading began, so everything that was stored before is in it; -Infinity before the first. `next` is being read. */
type Entry = { document: Document | undefined; at: number; next: { at: number; read: Promise<Document | undefined> } | null };

/**
 * Documents, also missing ones, as they were a few seconds ago at most.
 * Z1: nothing that is older than 4 s is given; when the store does not answer by then, the read fails with it.
 * Z2: what is asked for often is read from the store once in 1.5 s, by one reader at a time, and nobody waits for that.
 * Z3: a bounded number is kept; what has not been read anew for longest goes first.
 */
export class RecentDocuments {
  readonly #entries = new Map<string, Entry>();
  readonly #documents: Pick<DocumentStore, 'read'>;
  readonly #clock: Clock;

  constructor(documents: Pick<DocumentStore, 'read'>, clock: Clock) {
    this.#documents = documents;
    this.#clock = clock;
  }

  /** At once when it is remembered. @throws what the store throws. */
  read(name: Name): Document | undefined | Promise<Document | undefined> {
    const now = this.#clock.now();
    const key = `${name.kind}/${name.tenantId}/${name.id}`;
    const entry = this.#entries.get(key) ?? { document: undefined, at: Number.NEGATIVE_INFINITY, next: null };
    if (isGood(entry.at, now)) {
      if (now - entry.at >= REFRESH_AFTER_MS && entry.next === null) this.#fetch(key, name, entry).catch(() => {}); // Z2
      return entry.document;
    }
    return entry.next !== null && isGood(entry.next.at, now) ? entry.next.read : this.#fetch(key, name, entry); // Z1
  }

  /** Looks up anew what has a name that ends so: an id, or a tenant, a slash and an id. */
  forget(ending: string): void {
    for (const key of this.#entries.keys()) if (key.endsWith(`/${ending}`)) this.#entries.delete(key);
  }

  #fetch(key: string, name: Name, entry: Entry): Promise<Document | undefined> {
    const at = this.#clock.now();
    const isLatest = () => this.#entries.get(key) === entry; // else it was forgotten, or read anew
    const read = this.#documents.read(name.kind, name.tenantId, name.id).then(
      (document) => {
        if (isLatest()) this.#keep(key, { document, at, next: null });
        return document;
      },
      (error: unknown) => {
        entry.next = null;
        if (isLatest() && entry.at === Number.NEGATIVE_INFINITY) this.#entries.delete(key);
        throw error;
      },
    );
    entry.next = { at, read };
    if (!isLatest()) this.#keep(key, entry);
    return read;
  }

  #keep(key: string, entry: Entry): void {
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > MOST_ENTRIES && oldest !== undefined) this.#entries.delete(oldest); // Z3
  }
}

const isGood = (at: number, now: number): boolean => at <= now && now - at < GOOD_FOR_MS;
