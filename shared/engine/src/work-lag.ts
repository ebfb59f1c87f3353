import type { Clock } from '@retrigger/ports/clock.ts';
import type { Log, PartitionProgress } from '@retrigger/ports/log.ts';

const LOOK_EVERY_MS = 1_000;
/** Enough for ten minutes; of a longer lag only the beginning is told, which is past every bound. */
const MOST_LOOKS = 600;

/** Where a partition ended when it was looked at (epoch ms). */
type Look = { at: number; end: number };

/**
 * How old the oldest record of each partition is that no worker has finished, as anybody can see who may ask for offsets: once a second, and nothing is read.
 * A1: an age is never overstated, and at most a look too young: the record was there at the first look at which the partition ended behind it.
 * A2: what could not be asked is not known, and counts as no lag: whoever hands a record in then hears from the log itself.
 */
export class WorkLag {
  readonly #log: Pick<Log, 'progress'>;
  readonly #clock: Clock;
  readonly #topic: string;
  readonly #group: string;
  readonly #looks = new Map<number, Look[]>();
  #lookedAt = 0;

  constructor(log: Pick<Log, 'progress'>, topic: string, group: string, clock: Clock) {
    this.#log = log;
    this.#topic = topic;
    this.#group = group;
    this.#clock = clock;
  }

  /** Age of the partition's oldest unfinished record in milliseconds, at the last look; 0 when there is none. */
  ageMs(partition: number): number {
    const first = this.#looks.get(partition)?.[0];
    return first === undefined ? 0 : this.#lookedAt - first.at;
  }

  /** The same of the partition that is furthest behind. */
  oldestMs(): number {
    let oldest = 0;
    for (const partition of this.#looks.keys()) oldest = Math.max(oldest, this.ageMs(partition));
    return oldest;
  }

  /** One look. Returns when the next is due. */
  async turn(): Promise<number> {
    const askedAt = this.#clock.now();
    const found = await this.#log.progress(this.#topic, this.#group).catch(() => []); // A2
    const behind = new Set<number>();
    for (const progress of found) if (this.#note(progress, askedAt)) behind.add(progress.partition);
    for (const partition of this.#looks.keys()) if (!behind.has(partition)) this.#looks.delete(partition);
    this.#lookedAt = askedAt;
    return askedAt + LOOK_EVERY_MS;
  }

  /** Whether the partition has unfinished records. A1: looks at which it ended before the oldest of them tell nothing about it. */
  #note({ partition, committed, end }: PartitionProgress, at: number): boolean {
    if (end <= committed) return false;
    const looks = (this.#looks.get(partition) ?? []).filter((look) => look.end > committed);
    const last = looks.at(-1);
    if (last === undefined || (end > last.end && looks.length < MOST_LOOKS)) looks.push({ at, end });
    this.#looks.set(partition, looks);
    return true;
  }
}
