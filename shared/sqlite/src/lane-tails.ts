import type { LogRecord } from '@retrigger/ports/log.ts';

/** Of each lane as much is remembered as one batch may hold. */
const MOST_BYTES = 512 * 1024;
/** What a record takes besides its value. */
const RECORD_BYTES = 300;

type Tail = { records: Map<number, LogRecord>; bytes: number };

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

  /** The records of a lane from this offset on; the first is missing when it is older than what is remembered. */
  *from(lane: number, offset: number): Generator<LogRecord> {
    const records = this.#tails.get(lane)?.records;
    for (let next = records?.get(offset); next !== undefined; next = records?.get(next.offset + 1)) yield next;
  }

  /** R2: all up to this offset. */
  forget(lane: number, offset: number): void {
    const tail = this.#tails.get(lane);
    for (const oldest of tail?.records.values() ?? []) {
      if (tail === undefined || oldest.offset > offset) return;
      drop(tail, oldest);
    }
  }

  #hold(lane: number, record: LogRecord): void {
    const tail = this.#tails.get(lane) ?? { records: new Map(), bytes: 0 };
    this.#tails.set(lane, tail);
    tail.records.set(record.offset, record);
    tail.bytes += sizeOf(record);
    for (const oldest of tail.records.values()) {
      if (tail.bytes <= MOST_BYTES) return;
      drop(tail, oldest);
    }
  }
}

const sizeOf = ({ value }: LogRecord): number => value.byteLength + RECORD_BYTES;

function drop(tail: Tail, record: LogRecord): void {
  tail.records.delete(record.offset);
  tail.bytes -= sizeOf(record);
}
