import type { Command } from '@retrigger/domain/command.ts';
import type { WakeKind } from '@retrigger/domain/decider.ts';
import type { Clock } from '@retrigger/ports/clock.ts';
import { type Log, type NewRecord, TOPICS } from '@retrigger/ports/log.ts';
import type { Observer } from '@retrigger/ports/observer.ts';
import type { Due, SnapshotStore } from '@retrigger/ports/snapshot-store.ts';
import { type DueTime, DueTimes } from './due-times.ts';
import { againAt, firstLookAt } from './look-again.ts';

const HORIZON_MS = 60_000;
const REFILL_EVERY_MS = 20_000;
const PAGE = 5_000;
const RETRY_MS = 1_000;
const SEND_AT_ONCE = 500;
/** A smaller step back only makes a Wake so much later. */
const SET_BACK_MS = 1_000;

export type WakeUpPorts = {
  log: Log;
  snapshots: SnapshotStore;
  clock: Clock;
  observer: Observer;
  encode(command: Command): NewRecord;
  /**
   * The command that makes an aggregate look at its due times, one of its own for every `sentAt` (epoch ms). `silentSince`: when its executor was last heard
   * (epoch ms), as far as this owner knows.
   */
  wake(key: string, wakeAt: number, silentSince: number | null, sentAt: number): Command;
};

/**
 * What a batch left behind: when its aggregate is due next. `landedAt`: the log time of the last Wake for it in the batch, null = none; `hasChanged`:
 * something became of the batch.
 */
export type Settled = {
  key: string;
  partition: number;
  wakeAt: number | null;
  wakeKind: WakeKind;
  dueAt: number | null;
  landedAt: number | null;
  hasChanged: boolean;
};

/**
 * The due times of the partitions that this process owns.
 * K1: a due time inside the horizon is in memory: read at every assignment, again every 20 s, and taken from every decided batch.
 * K2: one Wake per aggregate is under way; without effect it is sent again after 30 s. A lost one costs time, never the event. What stays without effect is asked
 * less and less: after a tenth of the time that it has been due, at most an hour.
 * K3: no Wake is sent before its time by this clock; one that proves early by the log's clock is armed again for the difference.
 * K4: firing is decided by the aggregate, by the log's clock: a second, late or foreign Wake finds nothing due.
 * K5: an executor counts as silent from its last heartbeat that this owner knows, or from the assignment: a new owner grants one full time-out. What counts
 * is what the owner knows when it decides: a Wake may have overtaken heartbeats, or be a former owner's. The time-out is full by the log's clock, too.
 * K7: waiting tasks (`check`) are told when what they wait for may have come true; that they look again, each minute and then ever less, is a net. So many may
 * wait for so long that their looks are spread, and nothing is sent for them at once.
 * K6: what is read from the store gives way to what was decided while it was read.
 * K8: this clock is looked at every 20 s, for it may be set; what was reckoned by a clock that was set back is reckoned anew: else a Wake could be as late as
 * the clock was off.
 */
export class WakeUps {
  readonly #due = new DueTimes();
  readonly #heard = new Map<string, number>();
  readonly #owned = new Map<number, number>();
  /** For each reading of the store that is under way, what was settled meanwhile. */
  readonly #fills = new Set<Set<string>>();
  readonly #ports: WakeUpPorts;
  #cancelTimer: () => void = () => {};
  #timerAt = Number.POSITIVE_INFINITY;
  #filledUntil = 0;
  /** The latest that this clock has said. */
  #latest = 0;
  #stopped = false;

  constructor(ports: WakeUpPorts) {
    this.#ports = ports;
  }

  /** K1, K5. */
  async assigned(partitions: number[]): Promise<void> {
    const now = this.#now();
    for (const partition of partitions) this.#owned.set(partition, now);
    await this.#fill(partitions, now + HORIZON_MS);
  }

  revoked(partitions: number[]): void {
    for (const partition of partitions) this.#owned.delete(partition);
    for (const { key, partition } of [...this.#due.values()]) if (!this.#owned.has(partition)) this.#forget(key);
  }

  /** One turn of refilling (K1); returns when the next is due. */
  async refill(): Promise<number> {
    const now = this.#ports.clock.now();
    if (now < this.#latest - SET_BACK_MS) this.#reckonAnew(now); // K8
    this.#latest = now;
    this.#filledUntil = now + HORIZON_MS;
    await this.#fill([...this.#owned.keys()], this.#filledUntil);
    return now + REFILL_EVERY_MS;
  }

  /** A decided batch of an owned partition. */
  settle({ key, partition, wakeAt, wakeKind, dueAt, landedAt, hasChanged }: Settled): void {
    for (const settled of this.#fills) settled.add(key); // K6
    if (wakeAt === null || !this.#owned.has(partition)) {
      this.#forget(key);
      return;
    }
    const now = this.#now();
    const held = this.#due.get(key);
    if (wakeAt >= Math.max(this.#filledUntil, now + REFILL_EVERY_MS)) {
      this.#due.delete(key);
      return;
    }
    const isKnown = held?.wakeAt === wakeAt && (held.dueAt === undefined || held.dueAt === dueAt);
    const due = { key, partition, wakeAt, wakeKind, dueAt, isSent: false, isIdle: false };
    const lookAt = this.#lookAt(due);
    if (isKnown && landedAt === null && (held.isSent || wakeKind === 'check'))
      this.#arm({ ...held, dueAt }); // K2, K7
    else if (lookAt > now) this.#arm({ ...due, fireAt: lookAt });
    else if (landedAt !== null && landedAt < lookAt)
      this.#arm({ ...due, fireAt: now + (lookAt - landedAt) }); // K3: it was early by the log's clock
    else if (isKnown && landedAt !== null && !hasChanged) this.#arm({ ...due, fireAt: againAt(due, now), isSent: true, isIdle: true });
    else this.#arm({ ...due, fireAt: now });
  }

  heartbeat(key: string, at: number): void {
    this.#heard.set(key, at);
  }

  /** K5. Epoch milliseconds. `at`: of a Wake that is decided, by the log's clock; ours, which the assignment is told by, may be behind that. */
  silentSince(key: string, partition: number, at = 0): number {
    const behindMs = Math.max(0, at - this.#ports.clock.now());
    return Math.max(this.#heard.get(key) ?? 0, (this.#owned.get(partition) ?? 0) + behindMs);
  }

  /** How late the oldest due time is, in milliseconds. Waiting tasks that look again are not late, nor is what was asked and has to wait for others first. */
  oldestLagMs(): number {
    const now = this.#now();
    let oldest = now;
    for (const { wakeAt, wakeKind, isIdle } of this.#due.values()) if (wakeKind === 'due' && !isIdle && wakeAt < oldest) oldest = wakeAt;
    return now - oldest;
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelTimer();
  }

  async #fill(partitions: number[], before: number): Promise<void> {
    const settled = new Set<string>();
    this.#fills.add(settled);
    try {
      for (const partition of partitions) await this.#fillOne(partition, before, settled);
    } finally {
      this.#fills.delete(settled);
    }
  }

  async #fillOne(partition: number, before: number, settled: Set<string>): Promise<void> {
    for (let after: Due | null = null; ; ) {
      const page: Due[] = await this.#ports.snapshots.due(partition, before, after, PAGE);
      if (!this.#owned.has(partition)) return;
      const now = this.#now();
      for (const due of page) {
        if (settled.has(due.key) || this.#due.get(due.key)?.wakeAt === due.wakeAt) continue; // K6
        this.#arm({ ...due, partition, dueAt: undefined, fireAt: firstLookAt(due, now), isSent: false, isIdle: false });
      }
      if (page.length < PAGE) return;
      after = page.at(-1) ?? null;
    }
  }

  #now(): number {
    const now = this.#ports.clock.now();
    this.#latest = Math.max(this.#latest, now);
    return now;
  }

  /** K8. A Wake that is sent twice does no harm (K4). Since when somebody is silent is left alone: a time-out too many would. */
  #reckonAnew(now: number): void {
    for (const due of [...this.#due.values()]) this.#due.set({ ...due, fireAt: firstLookAt(due, now), isSent: false, isIdle: false });
  }

  #forget(key: string): void {
    this.#due.delete(key);
    this.#heard.delete(key);
  }

  #arm(due: DueTime): void {
    const held = this.#due.get(due.key);
    if (held !== undefined && isSame(held, due)) return;
    this.#due.set(due);
    if (due.fireAt < this.#timerAt) this.#schedule();
  }

  #schedule(): void {
    this.#cancelTimer();
    const next = this.#due.peek();
    this.#timerAt = next?.fireAt ?? Number.POSITIVE_INFINITY;
    if (next === undefined || this.#stopped) return;
    const lookAt = Math.min(next.fireAt, this.#ports.clock.now() + REFILL_EVERY_MS); // K8
    this.#cancelTimer = this.#ports.clock.timer(lookAt, () => this.#fire());
  }

  #fire(): void {
    const now = this.#now();
    if (now < this.#latest - SET_BACK_MS) this.#reckonAnew(now); // K8
    this.#latest = now;
    const sent: DueTime[] = [];
    const records: NewRecord[] = [];
    for (let next = this.#due.peek(); next !== undefined && next.fireAt <= now && sent.length < SEND_AT_ONCE; next = this.#due.peek()) {
      const lookAt = this.#lookAt(next);
      const isPutOff = lookAt > now; // K5
      const due = { ...next, fireAt: isPutOff ? lookAt : againAt(next, now), isSent: !isPutOff }; // K2
      this.#due.set(due);
      if (isPutOff) continue;
      sent.push(due);
      const since = next.wakeKind === 'heartbeat' ? this.silentSince(next.key, next.partition) : null;
      records.push(this.#ports.encode(this.#ports.wake(due.key, due.wakeAt, since, now)));
    }
    this.#timerAt = Number.POSITIVE_INFINITY;
    if (records.length > 0) {
      this.#ports.log.append(TOPICS.work, records).catch((error) => {
        this.#ports.observer.log('warn', 'wake-ups could not be sent; they are tried again', {
          count: records.length,
          error: String(error),
        });
        for (const due of sent) if (this.#due.get(due.key) === due) this.#arm({ ...due, fireAt: this.#ports.clock.now() + RETRY_MS });
      });
    }
    this.#schedule();
  }

  /** When there is something to look at: heartbeats put off the end of silence, but nothing else. What else is due is not known before the first look. */
  #lookAt({ key, partition, wakeAt, wakeKind, dueAt }: Omit<DueTime, 'fireAt'>): number {
    if (wakeKind !== 'heartbeat' || dueAt === undefined) return wakeAt;
    const silentAt = Math.max(wakeAt, this.silentSince(key, partition) + HEARTBEAT_TIMEOUT_MS);
    return Math.min(silentAt, dueAt ?? Number.POSITIVE_INFINITY);
  }
}

const isSame = (one: DueTime, other: DueTime): boolean =>
  one.fireAt === other.fireAt &&
  one.isSent === other.isSent &&
  one.isIdle === other.isIdle &&
  one.wakeAt === other.wakeAt &&
  one.dueAt === other.dueAt &&
  one.wakeKind === other.wakeKind;

/** How long an executor may be silent after its first report. */
export const HEARTBEAT_TIMEOUT_MS = 60_000;
