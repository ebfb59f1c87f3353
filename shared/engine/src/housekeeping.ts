import type { Clock } from '@retrigger/ports/clock.ts';
import { type Log, type NewRecord, TOPICS } from '@retrigger/ports/log.ts';
import { RECEIPT_LIFE_MS, type ReceiptStore } from '@retrigger/ports/receipt-store.ts';
import type { Mark, SnapshotStore } from '@retrigger/ports/snapshot-store.ts';
import { ticksOf } from './ticks.ts';

/** Three turns (an event's mark, the others' ticks, their marks) are the most by which readers trail. */
const TURN_EVERY_MS = 250;
const SWEEP_EVERY_MS = 600_000;
/** A tick that was lost, or waits behind a backlog, is sent again after so long. */
const TICK_AGAIN_MS = 5_000;

type Owned = {
  mark: Mark;
  saved: Mark;
  /** The mark says nothing yet about what an owner before this one left. */
  isNew: boolean;
  /** Nothing has passed since the last turn. */
  isQuiet: boolean;
  /** By this clock; null = no tick is under way. */
  tickedAt: number | null;
};

type Ports = {
  log: Pick<Log, 'append' | 'partitionOf' | 'partitionCount'>;
  snapshots: SnapshotStore;
  receipts: ReceiptStore;
  clock: Clock;
};

/**
 * How far the owned partitions are (their marks), and what has had its time.
 *
 * What a mark promises: no event with a timestamp before it will ever be stored on its partition. It holds because
 * T1: a mark is the log time of a record that was decided, stored and committed with everything before it, by whom the log took for its owner then: it may lag, it never
 * leads (whoever lost a partition and does not know may decide otherwise than the owner will), and
 * T2: what is decided later stands behind that record, and no event is older than its record's log time or than its owner's last known mark (`notBefore`). In the
 * embedded log, time never goes back; Kafka's append time can, when a broker's clock does or a leader changes, and then events take the mark's time.
 * T3: an idle partition gets on: while some event anywhere may be as new as a partition's mark, its owner appends a tick, which asks for nothing and has a log time.
 * When everything that is stored lies behind every mark, nobody ticks: an idle installation writes nothing.
 * T5: a tick that is lost is sent again, 5 s later or when the clock was set back since: then nobody knows for how long it has been under way.
 * T4: a new owner does not know what the one before it stored after its last mark, so it ticks once, and counts that tick as an event.
 *
 * Where it ends: a write that is under way while its partition's owner changes (a process that is paused between deciding and storing) may still arrive after the new
 * owner has decided the same command, on newer evidence, to nothing, and the mark has passed. Its name is free, so the store takes it, with its old timestamp. Nobody is
 * fenced by time here and no store could refuse it by one single-document write; the task's own history, which is ordered by name, is whole all the same. In one
 * process there is only one owner, and this can't happen.
 *
 * H2: receipts are swept by the log's clock: only what is 24 h older than the partition's own mark.
 */
export class Housekeeping {
  readonly #owned = new Map<number, Owned>();
  readonly #ports: Ports;
  #ticks: NewRecord[] | undefined;
  #sweptAt: number;

  constructor(ports: Ports) {
    this.#ports = ports;
    this.#sweptAt = ports.clock.now();
  }

  /** T4. */
  async assigned(partitions: number[]): Promise<void> {
    const marks = await this.#ports.snapshots.marks();
    for (const partition of partitions) {
      const mark = marks.get(partition) ?? { at: 0, newest: 0 };
      this.#owned.set(partition, { mark, saved: mark, isNew: true, isQuiet: true, tickedAt: null });
    }
  }

  lost(partitions: number[]): void {
    for (const partition of partitions) this.#owned.delete(partition);
  }

  /** T2. No event of this partition may be older than this (epoch ms). */
  notBefore(partition: number): number {
    return this.#owned.get(partition)?.mark.at ?? 0;
  }

  /** The timestamp (epoch ms) of the newest event that some records led to. */
  stored(partition: number, newest: number): void {
    const owned = this.#owned.get(partition);
    if (owned !== undefined && newest > owned.mark.newest) owned.mark = { ...owned.mark, newest };
  }

  /** Called when the offset of a partition has moved past a record of this log time. */
  passed(partition: number, at: number): void {
    const owned = this.#owned.get(partition);
    if (owned === undefined) return;
    const { mark, isNew } = owned;
    owned.mark = { at: Math.max(mark.at, at), newest: Math.max(mark.newest, isNew ? at : 0) };
    owned.isNew = false;
    owned.isQuiet = false;
    owned.tickedAt = null;
  }

  /** One turn: saves the marks that have moved, ticks where that is needed and, now and then, sweeps. Returns when the next turn is due. */
  async turn(): Promise<number> {
    const now = this.#ports.clock.now();
    const moved = [...this.#owned].filter(([, { mark, saved }]) => mark !== saved);
    await Promise.all(moved.map((one) => this.#save(...one)));
    await this.#tick(now);
    if (now - this.#sweptAt >= SWEEP_EVERY_MS) {
      this.#sweptAt = now;
      for (const [partition, { saved }] of this.#owned) await this.#ports.receipts.sweep(partition, saved.at - RECEIPT_LIFE_MS);
    }
    return now + TURN_EVERY_MS;
  }

  async #save(partition: number, owned: Owned): Promise<void> {
    const { mark } = owned;
    await this.#ports.snapshots.saveMark(partition, mark);
    owned.saved = mark;
  }

  /** T3. A partition that moves by itself needs none. */
  async #tick(now: number): Promise<void> {
    const mayTick = (tickedAt: number | null) => tickedAt === null || now - tickedAt >= TICK_AGAIN_MS || now < tickedAt; // T5
    const quiet = [...this.#owned].filter(([, { isQuiet, tickedAt }]) => isQuiet && mayTick(tickedAt));
    for (const owned of this.#owned.values()) owned.isQuiet = true;
    if (quiet.length === 0) return;
    const newest = Math.max(...[...(await this.#ports.snapshots.marks()).values()].map((mark) => mark.newest));
    const behind = quiet.filter(([, { isNew, mark }]) => isNew || mark.at <= newest);
    if (behind.length === 0) return;
    this.#ticks ??= ticksOf(this.#ports.log);
    for (const [, owned] of behind) owned.tickedAt = now;
    await this.#ports.log.append(
      TOPICS.work,
      behind.flatMap(([partition]) => this.#ticks?.[partition] ?? []),
    );
  }
}
