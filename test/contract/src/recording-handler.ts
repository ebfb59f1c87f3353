import type { CommitOffset, LogRecord, NewRecord, RecordHandler } from '@retrigger/ports/log.ts';

export type Batch = { partition: number; records: LogRecord[]; commit: CommitOffset };

/** Remembers what it was told. By default it commits each batch at its end. */
export class RecordingHandler implements RecordHandler {
  readonly batches: Batch[] = [];
  /** Every `assigned` (+) and `revoked` (-), in order. */
  readonly assignments: { sign: '+' | '-'; partitions: number[] }[] = [];
  /** Partitions that are this member's now. */
  readonly owned = new Set<number>();
  /** What broke the port's promises while it ran. */
  readonly violations: string[] = [];
  readonly #running = new Set<number>();
  readonly #onBatch: (batch: Batch) => Promise<void>;

  constructor(onBatch: (batch: Batch) => Promise<void> = commitAll) {
    this.#onBatch = onBatch;
  }

  get records(): LogRecord[] {
    return this.batches.flatMap(({ records }) => records);
  }

  /** What was delivered, as text, by partition. */
  texts(partition?: number): string[] {
    return this.records.filter((record) => partition === undefined || record.partition === partition).map(textOf);
  }

  async assigned(partitions: number[]): Promise<void> {
    this.assignments.push({ sign: '+', partitions: [...partitions] });
    for (const partition of partitions) this.owned.add(partition);
  }

  async revoked(partitions: number[]): Promise<void> {
    this.assignments.push({ sign: '-', partitions: [...partitions] });
    for (const partition of partitions) this.owned.delete(partition);
  }

  async batch(partition: number, records: LogRecord[], commit: CommitOffset): Promise<void> {
    if (!this.owned.has(partition)) this.violations.push(`a batch of partition ${partition}, which is not assigned`);
    if (this.#running.has(partition)) this.violations.push(`two batches of partition ${partition} at once`);
    if (records.length === 0) this.violations.push(`an empty batch of partition ${partition}`);
    if (records.some((record) => record.partition !== partition)) this.violations.push('a record of another partition');
    this.#running.add(partition);
    const batch = { partition, records, commit };
    this.batches.push(batch);
    try {
      await this.#onBatch(batch);
    } finally {
      this.#running.delete(partition);
    }
  }
}

export async function commitAll({ records, commit }: Batch): Promise<void> {
  const last = records.at(-1);
  if (last !== undefined) await commit(last.offset + 1);
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export const textRecord = (key: string, text: string): NewRecord => ({ key, value: encoder.encode(text), headers: {} });
export const textOf = (record: { value: Uint8Array }): string => decoder.decode(record.value);
