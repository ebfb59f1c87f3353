import type { StoredEvent } from '@retrigger/domain/event.ts';
import { formatInstant } from '@retrigger/domain/instant.ts';
import type { EventPlace } from '@retrigger/ports/event-store.ts';
import { placeText } from './histories.ts';

/** So much of a tenant's newest events is held for all of its clients together. */
const HELD_EVENTS = 5_000;
export const HELD_CHARACTERS = 8 * 1_048_576;

/** An event as it is sent: `text` is its message. `place` sorts as text. */
export type LiveEvent = { place: string; eventType: string; taskId: string; text: string };

/** The place before every event with this timestamp (epoch ms) or a later one. */
export const placeAt = (at: number): EventPlace => ({ timestamp: formatInstant(at), eventId: '' });

/**
 * The newest events of a tenant, held once, however many clients read them.
 * L1: everything between `start` and `end` is in it, in order, and nothing else; `end` is a lowest mark, so nothing will come before it.
 * L2: it is bounded; what does not fit is forgotten at the old end, and who has not got so far reads that from the store.
 */
export class LiveTail {
  /** Places, of which both only grow. */
  start: string;
  end: string;
  #events: LiveEvent[] = [];
  #characters = 0;
  readonly #waiting = new Set<() => void>();

  constructor(mark: number) {
    this.start = placeText(placeAt(mark));
    this.end = this.start;
  }

  /**
   * Takes in everything between `end` and this mark (epoch ms). Given in parts, only the last part ends at the mark; the others end where they end. So many characters
   * are held then at most.
   */
  add(events: LiveEvent[], end: string, mostCharacters = HELD_CHARACTERS): void {
    for (const event of events) {
      this.#events.push(event);
      this.#characters += event.text.length;
    }
    this.#forget(mostCharacters); // L2
    this.end = end;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }

  /** Events behind a place that is not before `start`, in order, from an index that was returned before (or any lower one). */
  after(place: string): LiveEvent[] {
    let [low, high] = [0, this.#events.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#events[middle]?.place ?? '') > place) high = middle;
      else low = middle + 1;
    }
    return this.#events.slice(low);
  }

  /** Calls back once, when there is more; returns how to take that back. */
  onMore(wake: () => void): () => void {
    this.#waiting.add(wake);
    return () => this.#waiting.delete(wake);
  }

  #forget(mostCharacters: number): void {
    let count = 0;
    while (this.#events.length - count > HELD_EVENTS || this.#characters > mostCharacters) {
      this.#characters -= this.#events[count]?.text.length ?? 0;
      count++;
    }
    const last = this.#events[count - 1];
    if (last === undefined) return;
    this.start = last.place;
    this.#events = this.#events.slice(count);
  }
}

/** `id` is what a client sends back as `Last-Event-ID`. An event's JSON has no line ends. */
export function liveEvent({ event, json }: StoredEvent, idOf: (place: string) => string): LiveEvent {
  const place = placeText(event);
  return { place, eventType: event.eventType, taskId: event.taskId, text: `id: ${idOf(place)}\ndata: ${json}\n\n` };
}
