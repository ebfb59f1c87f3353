import type { WakeKind } from '@retrigger/domain/decider.ts';

/**
 * A due time that is held in memory. `fireAt` (this process's clock, epoch ms) is when to send the next Wake for it. `dueAt`: the earliest time that no
 * heartbeat puts off; null = none, undefined = not known yet. `isSent`: a Wake for it is under way. `isIdle`: one was
 * decided, and nothing was to be done yet.
 */
export type DueTime = {
  key: string;
  partition: number;
  wakeAt: number;
  wakeKind: WakeKind;
  dueAt: number | null | undefined;
  fireAt: number;
  isSent: boolean;
  isIdle: boolean;
};

/** The due times of some aggregates, one each, the next to fire first: a binary heap beside a map. Entries that were replaced are dropped when they surface. */
export class DueTimes {
  readonly #current = new Map<string, DueTime>();
  readonly #heap: DueTime[] = [];

  get size(): number {
    return this.#current.size;
  }

  get(key: string): DueTime | undefined {
    return this.#current.get(key);
  }

  values(): Iterable<DueTime> {
    return this.#current.values();
  }

  set(due: DueTime): void {
    this.#current.set(due.key, due);
    this.#heap.push(due);
    this.#rise(this.#heap.length - 1);
  }

  delete(key: string): void {
    this.#current.delete(key);
  }

  /** The next to fire; it stays. */
  peek(): DueTime | undefined {
    for (let top = this.#heap[0]; top !== undefined; top = this.#heap[0]) {
      if (this.#current.get(top.key) === top) return top;
      this.#removeTop();
    }
    return undefined;
  }

  #removeTop(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#sink(0);
  }

  #rise(index: number): void {
    for (let child = index; child > 0; ) {
      const parent = (child - 1) >> 1;
      if (this.#fireAt(parent) <= this.#fireAt(child)) return;
      this.#swap(parent, child);
      child = parent;
    }
  }

  #sink(index: number): void {
    for (let parent = index; ; ) {
      const left = 2 * parent + 1;
      if (left >= this.#heap.length) return;
      const child = left + 1 < this.#heap.length && this.#fireAt(left + 1) < this.#fireAt(left) ? left + 1 : left;
      if (this.#fireAt(parent) <= this.#fireAt(child)) return;
      this.#swap(parent, child);
      parent = child;
    }
  }

  #fireAt(index: number): number {
    return this.#heap[index]?.fireAt ?? Number.POSITIVE_INFINITY;
  }

  #swap(a: number, b: number): void {
    const [x, y] = [this.#heap[a], this.#heap[b]];
    if (x !== undefined && y !== undefined) [this.#heap[a], this.#heap[b]] = [y, x];
  }
}
