import type { Message } from 'kafkajs';

/** One caller's append: settled once, when its last record is acknowledged or its first one has failed. */
export type PendingAppend = { readonly settled: boolean; acknowledged(): void; fail(error: Error): void };

export type WaitingRecord = { message: Message; bytes: number; append: PendingAppend };

/** The waiting records of one partition. `busy`: a batch of it is on its way. */
export type Lane = { topic: string; partition: number; queue: WaitingRecord[]; busy: boolean };

/** Some records of one lane, in order, on their way together. */
export type LaneBatch = { lane: Lane; records: WaitingRecord[] };

/**
 * Records waiting to be sent, one lane a partition.
 * N1: a lane has one batch on its way at a time, so a batch that is sent again never passes, or is passed by, another one: order per key holds.
 * N2: a take ends at `maxBytes` over all lanes together; a record larger than that goes alone.
 */
export class RecordLanes {
  readonly #lanes = new Map<string, Lane>();
  /** Lanes that have records and are not busy, the longest waiting first. */
  readonly #ready = new Set<Lane>();

  add(topic: string, partition: number, record: WaitingRecord): void {
    const name = `${topic}/${partition}`;
    let lane = this.#lanes.get(name);
    if (lane === undefined) {
      lane = { topic, partition, queue: [], busy: false };
      this.#lanes.set(name, lane);
    }
    lane.queue.push(record);
    if (!lane.busy) this.#ready.add(lane);
  }

  get hasReady(): boolean {
    return this.#ready.size > 0;
  }

  /** Takes from the ready lanes; what was taken is given back with `release` when it has been answered. Records nobody waits for are dropped. */
  take(maxBytes: number): LaneBatch[] {
    const batches: LaneBatch[] = [];
    let bytes = 0;
    for (const lane of this.#ready) {
      const records: WaitingRecord[] = [];
      let used = 0;
      for (const record of lane.queue) {
        const first = batches.length === 0 && records.length === 0;
        if (!first && !record.append.settled && bytes + record.bytes > maxBytes) break; // N2
        used++;
        if (record.append.settled) continue;
        records.push(record);
        bytes += record.bytes;
      }
      lane.queue.splice(0, used);
      if (records.length > 0) {
        lane.busy = true; // N1
        batches.push({ lane, records });
      }
      if (records.length > 0 || lane.queue.length === 0) this.#ready.delete(lane);
      if (bytes >= maxBytes) break;
    }
    return batches;
  }

  release(batches: LaneBatch[]): void {
    for (const { lane } of batches) {
      lane.busy = false;
      if (lane.queue.length > 0) this.#ready.add(lane);
    }
  }
}
