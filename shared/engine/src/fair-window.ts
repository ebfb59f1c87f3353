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
export type Decide = (records: LogRecord[], finish: () => Promise<void>) => Promise<void>;

type Ports = { clock: Clock; observer: Observer };

/**
 * What the owner of a partition has read ahead, taken tenant by tenant in small slices, so that nobody waits for another one's backlog.
 * Q1: records of one tenant, and so those of one aggregate, are decided in log order; tenants take turns, record by record.
 * Q2: the offset moves to the lowest unfinished record and no further, and `passed` hears of nothing behind it, nor of what did not count.
 * Q3: a slice that fails is decided again after a pause, until it doesn't or the partition is lost.
 * Q4: what is read ahead is bounded: past it `add` resolves when there is room. Q5: one slice runs at a time; none begins after `close`.
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
  #isClosed = false;
  #endPause: () => void = () => {};
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

  /** Drops what has not begun; resolves when the slice that runs has ended. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#endPause();
    this.#tellRoom();
    await this.#running;
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
    }
    this.#running = undefined;
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
    const { clock, observer } = this.#ports;
    for (let pauseMs = FIRST_PAUSE_MS; !this.#isClosed; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      try {
        return await this.#decide(slice, () => this.#finish(slice));
      } catch (error) {
        const { partition, offset } = slice[0] ?? {};
        const failure = error instanceof Error ? (error.stack ?? error.message) : String(error);
        observer.log('error', 'records could not be decided; it is tried again', { partition, offset, pauseMs, error: failure });
      }
      await new Promise<void>((resolve) => {
        const cancel = clock.timer(clock.now() + pauseMs, resolve);
        this.#endPause = () => {
          cancel();
          resolve();
        };
        if (this.#isClosed) this.#endPause();
      });
    }
  }

  /** Q2. May be called again for the same slice. */
  async #finish(slice: LogRecord[]): Promise<void> {
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
    const last = this.#finishedUpTo;
    if (last === undefined || last.offset === this.#committed) return;
    const counted = await this.#commit(last.offset + 1);
    this.#committed = last.offset;
    if (counted && !this.#isClosed) this.#passed(last.at);
  }
}
