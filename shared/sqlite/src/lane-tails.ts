import type { LogRecord } from '@retrigger/ports/log.ts';

/** Of each lane as much is remembered as one batch may hold. */
const MOST_BYTES = 512 * 1024;
/** What a record takes besides its value. */
const RECORD_BYTES = 300;

/** Offsets have no gaps, so a record's place tells its offset; those before `first` are forgotten. */
type Tail = { records: (LogRecord | undefined)[]; first: number; bytes: number };

/** So many places are empty before the others move up. */
const MOVE_UP = 1_000;

/**
 * The last records of every lane, so that whoever reads on at the end need not ask the file for what was just written.
 * R1: only what is committed is here; a transaction that is rolled back leaves nothing. R2: what is deleted from the file is forgotten.
 * Records are shared by all who read them: nobody changes one.
 */
export class LaneTails {
  readonly #tails = new Map<number, Tail>();
  #written: [lane: number, record: LogRecord][] = [];

  /** Inside a transaction. */
  write(lane: number, record: LogRecord): void {
    this.#written.push([lane, record]);
  }

  committed(): void {
    for (const [lane, record] of this.#written) this.#hold(lane, record); // R1
    this.#written = [];
  }

  rolledBack(): void {
    this.#written = [];
  }

  /** The records of a lane from this offset on; none when the first is older than what is remembered. */
  *from(lane: number, offset: number): Generator<LogRecord> {
    const { records, first } = this.#tails.get(lane) ?? NOTHING;
    const oldest = records[first];
    if (oldest === undefined || offset < oldest.offset) return;
    for (let place = first + offset - oldest.offset; place < records.length; place++) yield records[place] as LogRecord;
  }

  /** R2: all up to this offset. */
  forget(lane: number, offset: number): void {
    const tail = this.#tails.get(lane);
    if (tail !== undefined) shorten(tail, (oldest) => oldest.offset <= offset);
  }

  #hold(lane: number, record: LogRecord): void {
    const tail = this.#tails.get(lane) ?? { records: [], first: 0, bytes: 0 };
    if (tail.records.length === 0) this.#tails.set(lane, tail);
    tail.records.push(record);
    tail.bytes += sizeOf(record);
    if (tail.bytes > MOST_BYTES) shorten(tail, () => tail.bytes > MOST_BYTES);
  }
}

const NOTHING: Tail = { records: [], first: 0, bytes: 0 };

const sizeOf = ({ value }: LogRecord): number => value.byteLength + RECORD_BYTES;

/** Forgets the oldest ones that are too old. */
function shorten(tail: Tail, isTooOld: (oldest: LogRecord) => boolean): void {
  for (let oldest = tail.records[tail.first]; oldest !== undefined && isTooOld(oldest); oldest = tail.records[tail.first]) {
    tail.records[tail.first++] = undefined; // or its place would keep it
    tail.bytes -= sizeOf(oldest);
  }
  if (tail.first < MOVE_UP) return;
  tail.records = tail.records.slice(tail.first);
  tail.first = 0;
}
