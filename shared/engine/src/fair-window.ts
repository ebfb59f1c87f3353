import type { Clock } from '@retrigger/ports/clock.ts';
import type { CommitOffset, LogRecord } from '@retrigger/ports/log.ts';
import type { Observer } from '@retrigger/ports/observer.ts';

/** Read ahead up to here: twice what one tenant may have undecided, so that behind it others are seen. */
const ROOM_RECORDS = 2_000;
const ROOM_BYTES = 4 * 1_048_576;
/**
 * A slice ends at the first of the two. Whoever comes waits for the slice that runs and is in the next, so it is short. Beside a tenant with 1,000 undecided,
 * on a busy machine (`npm run bench:fairness`), another one's P95 was 159 to 404 ms with 50 records, 727 to 963 with 200 and 1,767 to 1,950 with 500; the first
 * one's throughput was the same within noise.
 */
const SLICE_RECORDS = 50;
const SLICE_BYTES = 512 * 1024;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/** Decides these records; calls `finish` when all is done, before it resolves. */
export type Decide = (records: LogRecord[], finish: () => void) => Promise<void>;

type Ports = { clock: Clock; observer: Observer };

/**
 * What the owner of a partition has read ahead, taken tenant by tenant in small slices, so that nobody waits for another one's backlog.
 * Q1: records of one tenant, and so those of one aggregate, are decided in log order; tenants take turns, record by record.
 * Q2: the offset moves to the lowest unfinished record and no further, and `passed` hears of nothing behind it, nor of what did not count.
 * Q3: a slice that fails is decided again after a pause, until it doesn't or the partition is lost; and so is an offset that could not be moved.
 * Q4: what is read ahead is bounded: past it `add` resolves when there is room. Q5: one slice runs at a time; none begins after `close`.
 * Q6: the next slice does not wait for the offset. What has passed is told between two slices only, for the mark must not move under one (T2).
 */
export class FairWindow {
  readonly #turns = new Map<string, LogRecord[]>();
  /** By offset; those at the beginning are finished when the offset may move. */
  readonly #unfinished: { record: LogRecord; isFinished: boolean }[] = [];
  readonly #entries = new Map<number, { isFinished: boolean }>();
  #waitingBytes = 0;
  #waiting = 0;
  #finishedUpTo: LogRecord | undefined;
  #committed = -1;
  #running: Promise<void> | undefined;
  #moving: Promise<void> | undefined;
  /** Log time of what is committed and not told. */
  #untold: number | undefined;
  #isClosed = false;
  readonly #pauses = new Set<() => void>();
  #roomMade: (() => void)[] = [];
  #commit: CommitOffset = async () => false;
  readonly #decide: Decide;
  readonly #passed: (at: number) => void;
  readonly #ports: Ports;
  readonly #sliceRecords: number;

  /** `passed` is told of a log time up to which everything is finished and committed. */
  constructor(decide: Decide, passed: (at: number) => void, ports: Ports, sliceRecords = SLICE_RECORDS) {
    this.#sliceRecords = sliceRecords;
    this.#decide = decide;
    this.#passed = passed;
    this.#ports = ports;
  }

  /** Takes the next records of the partition in. Resolves when more may come (Q4). */
  async add(records: LogRecord[], commit: CommitOffset): Promise<void> {
    if (this.#isClosed) return;
    this.#commit = commit;
    for (const record of records) {
      const tenantId = record.key.slice(0, record.key.indexOf('/'));
      const queue = this.#turns.get(tenantId);
      if (queue === undefined) this.#turns.set(tenantId, [record]);
      else queue.push(record);
      const entry = { record, isFinished: false };
      this.#unfinished.push(entry);
      this.#entries.set(record.offset, entry);
      this.#waiting++;
      this.#waitingBytes += record.value.byteLength;
    }
    if (this.#waiting > 0) this.#running ??= this.#run();
    if (!this.#hasRoom) await new Promise<void>((resolve) => this.#roomMade.push(resolve));
  }

  /** Drops what has not begun; resolves when the slice that runs has ended and the offset was moved, as far as it can be. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const end of this.#pauses) end();
    this.#tellRoom();
    await this.#running;
    await this.#moving;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get #hasRoom(): boolean {
    return this.#waiting < ROOM_RECORDS && this.#waitingBytes < ROOM_BYTES;
  }

  #tellRoom(): void {
    for (const resolve of this.#roomMade.splice(0)) resolve();
  }

  async #run(): Promise<void> {
    while (!this.#isClosed && this.#waiting > 0) {
      const slice = this.#slice();
      if (this.#hasRoom) this.#tellRoom();
      await this.#decideOne(slice);
      this.#tellPassed();
    }
    this.#running = undefined;
    this.#tellPassed();
  }

  /** Q6. */
  #tellPassed(): void {
    const at = this.#untold;
    this.#untold = undefined;
    if (at !== undefined && !this.#isClosed) this.#passed(at);
  }

  /** Q1. In log order again, whoever's turn it was. */
  #slice(): LogRecord[] {
    const slice: LogRecord[] = [];
    let bytes = 0;
    for (const [tenantId, queue] of this.#turns) {
      const record = queue.shift();
      this.#turns.delete(tenantId);
      if (record === undefined) continue;
      if (queue.length > 0) this.#turns.set(tenantId, queue); // to the end: this walk comes by again
      slice.push(record);
      bytes += record.value.byteLength;
      if (slice.length >= this.#sliceRecords || bytes >= SLICE_BYTES) break;
    }
    this.#waiting -= slice.length;
    this.#waitingBytes -= bytes;
    return slice.sort((one, other) => one.offset - other.offset);
  }

  /** Q3. */
  async #decideOne(slice: LogRecord[]): Promise<void> {
    for (let pauseMs = FIRST_PAUSE_MS; !this.#isClosed; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      try {
        return await this.#decide(slice, () => this.#finish(slice));
      } catch (error) {
        this.#complain('records could not be decided; it is tried again', slice[0], pauseMs, error);
      }
      await this.#pause(pauseMs);
    }
  }

  /** Q2. May be called again for the same slice. */
  #finish(slice: LogRecord[]): void {
    for (const { offset } of slice) {
      const entry = this.#entries.get(offset);
      if (entry !== undefined) entry.isFinished = true;
    }
    let count = 0;
    for (const { record, isFinished } of this.#unfinished) {
      if (!isFinished) break;
      this.#entries.delete(record.offset);
      this.#finishedUpTo = record;
      count++;
    }
    this.#unfinished.splice(0, count);
    if (this.#finishedUpTo !== undefined && this.#finishedUpTo.offset !== this.#committed) this.#moving ??= this.#move();
  }

  /** Q3, Q6. */
  async #move(): Promise<void> {
    let pauseMs = FIRST_PAUSE_MS;
    for (let last = this.#finishedUpTo; last !== undefined && last.offset !== this.#committed; last = this.#finishedUpTo) {
      try {
        const counted = await this.#commit(last.offset + 1);
        this.#committed = last.offset;
        if (counted) this.#untold = last.at;
        if (this.#running === undefined) this.#tellPassed();
      } catch (error) {
        if (this.#isClosed) break;
        this.#complain('an offset could not be moved; it is tried again', last, pauseMs, error);
        await this.#pause(pauseMs);
        pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
      }
    }
    this.#moving = undefined;
  }

  #complain(what: string, record: LogRecord | undefined, pauseMs: number, error: unknown): void {
    const { partition, offset } = record ?? {};
    const failure = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#ports.observer.log('error', what, { partition, offset, pauseMs, error: failure });
  }

  /** Ended early by a close. */
  #pause(ms: number): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    const { clock } = this.#ports;
    return new Promise((resolve) => {
      const end = () => {
        cancel();
        this.#pauses.delete(end);
        resolve();
      };
      const cancel = clock.timer(clock.now() + ms, end);
      this.#pauses.add(end);
    });
  }
}
