import { EVENT_TYPES } from '@retrigger/contract/event-schema.ts';
import { lowestMark } from '@retrigger/engine/lowest-mark.ts';
import { type Supervised, supervise } from '@retrigger/lifecycle/supervise.ts';
import { TOPICS } from '@retrigger/ports/log.ts';
import { makeCursor } from './cursor.ts';
import type { GatewayDeps } from './deps.ts';
import { placeOf, placeText } from './histories.ts';
import { HELD_CHARACTERS, type LiveEvent, LiveTail, liveEvent, placeAt } from './live-tail.ts';
import { openedEvents } from './opened-events.ts';
import { justAfter } from './stored-history.ts';

const LOOK_EVERY_MS = 200;
/** So much is held of all tenants together; each has the same part of it, and no more than a tail may hold. */
const ALL_CHARACTERS = 256 * 1_048_576;
/** Streams of this process; what is left of its connections is for requests. */
const MOST_STREAMS = 8_000;
/** A tenant may have so many for each that is free: three quarters of all when it is alone, and of what others leave when it is not. */
const STREAMS_PER_FREE = 3;
const PAGE = 500;
const PAGE_CHARACTERS = 4 * 1_048_576;

/** What a cursor of the stream was made for: all of a tenant's events, whatever a client filters. */
export const STREAM = 'the stream';

type Ports = Pick<GatewayDeps, 'events' | 'privacy' | 'snapshots' | 'log' | 'secrets' | 'clock' | 'observer'>;
type Open = { tail: Promise<LiveTail>; clients: number };

/**
 * The newest events of every tenant that has a client here.
 * V1: one loop looks for the lowest mark, for the whole process, and reads what has come once a tenant; clients read the tail. It runs while there are clients.
 * V2: what clients must read from the store (a resumed one, one that fell behind the tail) is read page by page, one page at a time in the whole process, so that however
 * many of them there are, they leave turns to everybody else.
 * V3: streams are bounded; however many some tenants have, the next one finds a place, and there are connections left for requests.
 * V4: a tail is extended by one loop: one that was told to stop may still be looking while the next one runs, so a look is about those that were followed when it began.
 */
export class LiveEvents {
  readonly #tenants = new Map<string, Open>();
  readonly #ports: Ports;
  readonly #opened: ReturnType<typeof openedEvents>;
  readonly #mostStreams: number;
  #streams = 0;
  #loop: Supervised | undefined;
  #reading: Promise<unknown> = Promise.resolve();

  constructor(ports: Ports, mostStreams = MOST_STREAMS) {
    this.#mostStreams = mostStreams;
    this.#ports = ports;
    this.#opened = openedEvents(ports);
  }

  /** V3: whether the tenant may have another client. */
  hasPlace(tenantId: string): boolean {
    return (this.#tenants.get(tenantId)?.clients ?? 0) < STREAMS_PER_FREE * (this.#mostStreams - this.#streams);
  }

  /** A tenant's tail, kept up to date until `leave` is called as often as this. */
  async join(tenantId: string): Promise<LiveTail> {
    const open = this.#tenants.get(tenantId) ?? { tail: this.#begin(), clients: 0 };
    this.#tenants.set(tenantId, open);
    open.clients++;
    this.#streams++;
    this.#loop ??= supervise('looking for new events', () => this.#look(), this.#ports);
    try {
      return await open.tail;
    } catch (error) {
      this.leave(tenantId);
      throw error;
    }
  }

  leave(tenantId: string): void {
    const open = this.#tenants.get(tenantId);
    if (open === undefined) return;
    open.clients--;
    this.#streams--;
    if (open.clients === 0) this.#tenants.delete(tenantId);
    if (this.#tenants.size > 0) return;
    void this.#loop?.stop();
    this.#loop = undefined;
  }

  /** Events behind one place and up to another, included, from the store (V2); `end`: up to where they are all. */
  read(tenantId: string, types: readonly string[], after: string, before: string): Promise<{ events: LiveEvent[]; end: string }> {
    const page = this.#reading.then(() => this.#page(tenantId, types, after, before));
    this.#reading = page.catch(() => {});
    return page;
  }

  /** What to send back as `Last-Event-ID` to go on behind a place. */
  idOf(tenantId: string, place: string): string {
    return makeCursor(this.#ports.secrets, tenantId, STREAM, place);
  }

  /** For tests: how many tenants are followed. */
  get followed(): number {
    return this.#tenants.size;
  }

  async #begin(): Promise<LiveTail> {
    return new LiveTail(await this.#mark());
  }

  #mark(): Promise<number> {
    const { snapshots, log } = this.#ports;
    return lowestMark(snapshots, log.partitionCount(TOPICS.work));
  }

  /** V1. */
  async #look(): Promise<number> {
    const { clock } = this.#ports;
    const followed = [...this.#tenants]; // V4: before anything is waited for
    const end = placeText(placeAt(await this.#mark())); // M2
    for (const [tenantId, { tail }] of followed) await this.#extend(tenantId, await tail, end);
    return clock.now() + LOOK_EVERY_MS;
  }

  async #extend(tenantId: string, tail: LiveTail, end: string): Promise<void> {
    while (tail.end < end) {
      const page = await this.#page(tenantId, EVENT_TYPES, tail.end, end);
      tail.add(page.events, page.end, Math.min(HELD_CHARACTERS, ALL_CHARACTERS / this.#tenants.size));
    }
  }

  async #page(tenantId: string, types: readonly string[], after: string, before: string): Promise<{ events: LiveEvent[]; end: string }> {
    const { timestamp, eventId } = placeOf(before);
    const filter = { tenantId, types, before: eventId === '' ? timestamp : justAfter(Date.parse(timestamp)) };
    const found = await this.#opened.pageOfTenant(filter, {
      ...{ after: placeOf(after), limit: PAGE, order: 'asc', characters: PAGE_CHARACTERS },
    });
    const last = found.at(-1);
    const isAll = found.length < PAGE && found.reduce((sum, { json }) => sum + json.length, 0) < PAGE_CHARACTERS;
    const live = found.map((stored) => liveEvent(stored, (place) => this.idOf(tenantId, place))).filter(({ place }) => place <= before);
    return {
      events: live,
      end: last === undefined || isAll || placeText(last.event) > before ? before : placeText(last.event),
    };
  }
}
