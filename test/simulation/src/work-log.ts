import { type LogRecord, type NewRecord, TOPICS } from '@retrigger/ports/log.ts';

/** The records of all topics, as the log's own machines hold them: nothing is lost here. */
export class WorkLog {
  readonly partitions: number;
  /** What each partition's clock shows more than the true time; its records' times never go back even when this does. */
  readonly clockOffsets: number[];
  /** The step of the scheduler at which each record of the work topic was appended, by partition and offset. */
  readonly appendedAt: number[][];
  readonly #topics = new Map<string, LogRecord[][]>();
  readonly #listeners: ((topic: string, partition: number) => void)[] = [];

  constructor(partitions: number) {
    this.partitions = partitions;
    this.clockOffsets = Array.from({ length: partitions }, () => 0);
    this.appendedAt = this.clockOffsets.map(() => []);
  }

  partitionOf(key: string): number {
    let sum = 7;
    for (let index = 0; index < key.length; index++) sum = (Math.imul(sum, 31) + key.charCodeAt(index)) >>> 0;
    return sum % this.partitions;
  }

  records(topic: string, partition: number): LogRecord[] {
    let lanes = this.#topics.get(topic);
    if (lanes === undefined) {
      lanes = this.clockOffsets.map(() => []);
      this.#topics.set(topic, lanes);
    }
    const lane = lanes[partition];
    if (lane === undefined) throw new Error(`there is no partition ${partition}`);
    return lane;
  }

  all(topic: string): LogRecord[] {
    return this.clockOffsets.flatMap((_, partition) => this.records(topic, partition));
  }

  append(topic: string, { key, value, headers }: NewRecord, now: number, step: number): void {
    const partition = this.partitionOf(key);
    const lane = this.records(topic, partition);
    const at = Math.max(lane.at(-1)?.at ?? 0, Math.floor(now + (this.clockOffsets[partition] ?? 0)));
    lane.push({ key, value, headers, topic, partition, offset: lane.length, at });
    if (topic === TOPICS.work) this.appendedAt[partition]?.push(step);
    for (const tell of this.#listeners) tell(topic, partition);
  }

  onAppended(listener: (topic: string, partition: number) => void): void {
    this.#listeners.push(listener);
  }
}
