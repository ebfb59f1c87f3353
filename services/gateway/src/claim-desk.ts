import { chance } from '@retrigger/domain/chance.ts';
import type { Clock } from '@retrigger/ports/clock.ts';
import type { Observer } from '@retrigger/ports/observer.ts';
import type { SnapshotStore } from '@retrigger/ports/snapshot-store.ts';
import { drawOf } from './draw.ts';

/** An execution that may be claimed, when the store was looked at. */
export type Candidate = { taskId: string; since: number };

/** Who waits: for tasks of these types, for at most `most` candidates, until `until` (epoch ms). `name` tells it from all others. */
export type Seeker = { tenantId: string; types: readonly string[]; name: string; most: number; until: number; signal: AbortSignal };

/** The tasks of one type of a tenant, and who waits for them. Until `eagerUntil` it is looked at more often. Times in epoch ms. */
type Line = {
  tenantId: string;
  type: string;
  waiting: Set<Waiter>;
  lookedAt: number;
  leastPauseMs: number;
  dueAt: number;
  eagerUntil: number;
  isLooking: boolean;
};
/** The lines of one tenant that are not being looked at, those that want to be soon and the others, each in the order in which they are due. It may look again at `nextAt`. */
type Desk = { lines: Map<string, Line>; hurried: Set<Line>; calm: Set<Line>; nextAt: number };
type Waiter = Seeker & { lines: Line[]; unseen: Set<Line>; isLate: boolean; end(found: Candidate[]): void; fail(error: unknown): void };

const LOOK_EVERY_MS = 200;
/** Two looks at a line are never closer: ten times as long as the last one took, between these. */
const LEAST_PAUSE_MS = 2;
const MOST_LEAST_PAUSE_MS = 10;
/** So long after a hint a line is looked at more often: what the hint led to may take a moment. */
const EAGER_MS = 150;
const EAGER_EVERY_MS = 25;
const MOST_LOOKS = 8;
/** A tenant has so many looks a second, and a hundred at once when it had none for a while. */
const DESK_PAUSE_MS = 2;
const DESK_SAVES_MS = 200;
const MOST_CANDIDATES = 100;
const MOST_TRIED = 1_000;
/** A candidate is tried by one claim of this process at a time; a look that had begun before the try ended may still show it. */
const TRIED_MS = 60_000;
const SETTLED_MS = 1_000;
const SET_BACK_MS = 1_000;

/**
 * Where claims wait. One look at the store serves all who wait for the same type of a tenant, however many they are.
 * D1: a candidate is handed to one claim of this process at a time. D2: whoever waits longest is served first. D3: of several candidates each claim takes
 * those that its name draws, so several processes seldom try the same, and twins on two of them do. D4: a claim that doesn't want to wait has one look of its own.
 * D5: without anybody waiting there is no look and no timer.
 * D6: tenants take turns and have so many looks each, so nobody waits for somebody else's thousands of types.
 * D7: when the clock was set back, nothing is put off to what it had said before.
 */
export class ClaimDesk {
  readonly #snapshots: Pick<SnapshotStore, 'claimable'>;
  readonly #clock: Clock;
  readonly #observer: Observer;
  readonly #desks = new Map<string, Desk>();
  /** Candidates that are left alone, by name, and until when: those that are being tried, and those that were. */
  readonly #tried = new Map<string, number>();
  readonly #settled = new Map<string, number>();
  #looking = 0;
  /** What the clock said last. */
  #latest = 0;
  #cancel = () => {};

  constructor({ snapshots, clock, observer }: { snapshots: Pick<SnapshotStore, 'claimable'>; clock: Clock; observer: Observer }) {
    this.#snapshots = snapshots;
    this.#clock = clock;
    this.#observer = observer;
  }

  /** At least one candidate, or none when the time is up or the signal aborts. Each must be given back when it was tried. Rejects when the store can't be asked. */
  seek(seeker: Seeker): Promise<Candidate[]> {
    if (seeker.signal.aborted) return Promise.resolve([]);
    return new Promise((resolve, reject) => {
      const lines = seeker.types.map((type) => this.#line(seeker.tenantId, type));
      const leave = () => {
        cancel();
        seeker.signal.removeEventListener('abort', abort);
        for (const line of lines) {
          line.waiting.delete(waiter);
          if (!line.isLooking) this.#place(line);
        }
      };
      const waiter: Waiter = {
        ...{ ...seeker, lines, unseen: new Set(lines), isLate: false },
        end: (found) => [leave(), resolve(found)],
        fail: (error) => [leave(), reject(error)],
      };
      const abort = () => waiter.end([]);
      const cancel = this.#clock.timer(seeker.until, () => {
        waiter.isLate = true;
        if (waiter.unseen.size === 0) waiter.end([]);
      });
      seeker.signal.addEventListener('abort', abort);
      for (const line of lines) {
        line.waiting.add(waiter);
        this.#hurry(line); // D4
      }
      this.#arm();
    });
  }

  /** Something of this tenant has changed: what somebody waits for may be there. */
  hint(tenantId: string): void {
    const desk = this.#desks.get(tenantId);
    if (desk === undefined) return;
    const eagerUntil = this.#clock.now() + EAGER_MS;
    for (const line of desk.lines.values()) {
      line.eagerUntil = eagerUntil;
      this.#hurry(line);
    }
    this.#arm();
  }

  /** A try is over, whatever came of it. */
  settled(tenantId: string, candidate: Candidate): void {
    const name = nameOf(tenantId, candidate);
    this.#tried.delete(name);
    this.#settled.set(name, this.#clock.now() + SETTLED_MS);
  }

  #line(tenantId: string, type: string): Line {
    const desk = this.#desks.get(tenantId) ?? { lines: new Map(), hurried: new Set(), calm: new Set(), nextAt: 0 };
    const line = desk.lines.get(type) ?? {
      ...{ tenantId, type, waiting: new Set<Waiter>(), lookedAt: 0, leastPauseMs: LEAST_PAUSE_MS, dueAt: 0 },
      eagerUntil: 0,
      isLooking: false,
    };
    this.#desks.set(tenantId, desk);
    desk.lines.set(type, line);
    return line;
  }

  #hurry(line: Line): void {
    line.dueAt = Math.min(line.dueAt, line.lookedAt + line.leastPauseMs);
    if (!line.isLooking) this.#place(line);
  }

  /** Among those that are due, or nowhere when nobody waits for it (D5). */
  #place(line: Line): void {
    const desk = this.#desks.get(line.tenantId);
    if (desk === undefined) return;
    const isSoon = line.dueAt - this.#clock.now() <= EAGER_EVERY_MS;
    const [its, other] = isSoon ? [desk.hurried, desk.calm] : [desk.calm, desk.hurried];
    other.delete(line);
    if (line.waiting.size > 0) {
      its.add(line);
      return;
    }
    its.delete(line);
    desk.lines.delete(line.type);
    if (desk.lines.size === 0) this.#desks.delete(line.tenantId);
  }

  /** D7. */
  #now(): number {
    const now = this.#clock.now();
    const isSetBack = now < this.#latest - SET_BACK_MS;
    this.#latest = now;
    if (!isSetBack) return now;
    for (const [name, until] of this.#tried) this.#tried.set(name, Math.min(until, now + TRIED_MS));
    for (const [name, until] of this.#settled) this.#settled.set(name, Math.min(until, now + SETTLED_MS));
    for (const desk of this.#desks.values()) {
      desk.nextAt = Math.min(desk.nextAt, now);
      for (const line of desk.lines.values()) {
        Object.assign(line, { lookedAt: Math.min(line.lookedAt, now), eagerUntil: Math.min(line.eagerUntil, now) });
        if (!line.isLooking) this.#hurry(line);
      }
    }
    return now;
  }

  /** One timer, for the line that is due first. */
  #arm(): void {
    this.#cancel();
    this.#cancel = () => {};
    if (this.#looking >= MOST_LOOKS) return;
    this.#now();
    let first = Number.POSITIVE_INFINITY;
    for (const desk of this.#desks.values())
      first = Math.min(first, Math.max(desk.nextAt, firstIn(desk)?.dueAt ?? Number.POSITIVE_INFINITY));
    if (first < Number.POSITIVE_INFINITY) this.#cancel = this.#clock.timer(first, () => this.#turn());
  }

  /** D6. */
  #turn(): void {
    const now = this.#now();
    for (const left of [this.#tried, this.#settled]) for (const [name, until] of left) if (until <= now) left.delete(name);
    for (const [tenantId, desk] of this.#desks) {
      if (this.#looking >= MOST_LOOKS) break;
      const line = desk.nextAt <= now ? firstIn(desk) : undefined;
      if (line === undefined || line.dueAt > now) continue;
      desk.nextAt = Math.max(desk.nextAt, now - DESK_SAVES_MS) + DESK_PAUSE_MS;
      this.#desks.delete(tenantId); // to the end: this walk comes by again
      this.#desks.set(tenantId, desk);
      desk.hurried.delete(line);
      desk.calm.delete(line);
      void this.#look(line, now);
    }
    this.#arm();
  }

  async #look(line: Line, now: number): Promise<void> {
    const asking = [...line.waiting];
    this.#looking++;
    Object.assign(line, { isLooking: true, lookedAt: now, dueAt: Number.POSITIVE_INFINITY });
    try {
      const found = await this.#snapshots.claimable(line.tenantId, line.type, MOST_CANDIDATES + Math.min(this.#tried.size, MOST_TRIED));
      this.#serve(line, found);
      for (const waiter of asking) if (waiter.unseen.delete(line) && waiter.isLate && waiter.unseen.size === 0) waiter.end([]);
    } catch (error) {
      this.#observer.log('warn', 'what may be claimed can not be read', { error: String(error) });
      for (const waiter of asking) if (waiter.isLate) waiter.fail(error);
    }
    this.#looking--;
    const at = this.#clock.now();
    Object.assign(line, { isLooking: false, leastPauseMs: Math.min(Math.max(LEAST_PAUSE_MS, 10 * (at - now)), MOST_LEAST_PAUSE_MS) });
    const pauseMs = at < line.eagerUntil ? EAGER_EVERY_MS : LOOK_EVERY_MS * (0.75 + chance('look', line.tenantId, line.type, at) / 2);
    line.dueAt = Math.min(line.dueAt, at + Math.ceil(pauseMs));
    for (const waiter of line.waiting) if (waiter.unseen.has(line)) this.#hurry(line); // who came while it was looked
    this.#place(line);
    this.#arm();
  }

  /** D1, D2, D3. */
  #serve({ tenantId, waiting }: Line, found: Candidate[]): void {
    const isLeft = (name: string): boolean => this.#tried.has(name) || this.#settled.has(name);
    let free = found.filter((candidate) => !isLeft(nameOf(tenantId, candidate))).slice(0, MOST_CANDIDATES);
    const draws = new Map(free.map((candidate) => [candidate, drawOf(nameOf(tenantId, candidate))]));
    for (const waiter of [...waiting]) {
      if (free.length === 0) return;
      const own = drawOf(waiter.name);
      const place = (candidate: Candidate) => Math.imul((draws.get(candidate) ?? 0) ^ own, 0x9e3779b1) >>> 0;
      const drawn = free.toSorted((a, b) => place(a) - place(b)).slice(0, waiter.most);
      for (const candidate of drawn) this.#tried.set(nameOf(tenantId, candidate), this.#clock.now() + TRIED_MS);
      free = free.filter((candidate) => !drawn.includes(candidate));
      waiter.end(drawn);
    }
  }
}

/** Which line is due first, as good as: those behind it came later. */
function firstIn({ hurried, calm }: Desk): Line | undefined {
  const [[soon], [later]] = [hurried, calm];
  return soon === undefined || (later !== undefined && later.dueAt < soon.dueAt) ? later : soon;
}

const nameOf = (tenantId: string, { taskId, since }: Candidate): string => `${tenantId}/${taskId}/${since}`;
