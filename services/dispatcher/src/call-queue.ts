/** A piece of work that a slot is needed for. It does not reject. */
export type Job = () => Promise<void>;

export type CallQueueBounds = {
  /** Jobs that run at once, in all. */
  running: number;
  /** Jobs of one lane that run at once. */
  runningPerLane: number;
  /** Jobs that wait for a slot, in all. */
  waiting: number;
  /** Jobs of one group that run at once; a group that is not named has no bound of its own. */
  runningInGroup?: ReadonlyMap<string, number>;
};

/** Whose lane it is, and where its jobs go. */
export type LaneName = { tenantId: string; target: string; group: string };
type Lane = Pick<LaneName, 'tenantId' | 'group'> & { running: number; waiting: Job[] };

/** A tenant may have so many jobs running for each slot that is free: three quarters of all slots when it is alone, and of what others leave when it is not. */
const RUNNING_PER_FREE = 3;

/**
 * Bounded concurrency with a lane for each target.
 * Q1: never more jobs run than the bounds say, in all, in a lane and in a group.
 * Q2: lanes that wait take turns, so a target that hangs holds up its own lane and leaves the other slots to the rest.
 * Q3: a lane's jobs start in the order in which they came.
 * Q5: however many lanes hang, and however many tenants they are of, the next tenant finds a free slot.
 * Q4: a lane belongs to one group, so a group at its bound holds up its own lanes and no others.
 */
export class CallQueue {
  readonly #bounds: CallQueueBounds;
  readonly #lanes = new Map<string, Lane>();
  readonly #inGroup = new Map<string, number>();
  readonly #ofTenant = new Map<string, number>();
  readonly #running = new Set<Promise<void>>();
  #waiting = 0;
  #stopped = false;
  #roomFor: (() => void)[] = [];

  constructor(bounds: CallQueueBounds) {
    this.#bounds = bounds;
  }

  /** Starts the job, at once when there is a slot. Returns whether it has to wait: what it was decided on may then be old when it starts. */
  add({ tenantId, target, group }: LaneName, run: Job): 'started' | 'waits' {
    if (this.#stopped) return 'waits';
    const laneName = `${tenantId} ${target} ${group}`;
    const lane = this.#lanes.get(laneName) ?? { tenantId, group, running: 0, waiting: [] };
    this.#lanes.set(laneName, lane);
    if (lane.waiting.length === 0 && this.#hasSlot(lane)) {
      this.#start(laneName, lane, run);
      return 'started';
    }
    lane.waiting.push(run);
    this.#waiting++;
    return 'waits';
  }

  /** Resolves when another job may wait; at once after a stop. */
  async room(): Promise<void> {
    while (this.#waiting >= this.#bounds.waiting && !this.#stopped) await new Promise<void>((resolve) => this.#roomFor.push(resolve));
  }

  /** Forgets the jobs that wait, and starts none any more. */
  stop(): void {
    this.#stopped = true;
    this.#waiting = 0;
    this.#lanes.clear();
    this.#tellRoom();
  }

  /** Resolves when nothing runs. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  #hasSlot(lane: Lane): boolean {
    const { running, runningPerLane, runningInGroup } = this.#bounds; // Q1
    const most = runningInGroup?.get(lane.group) ?? Number.POSITIVE_INFINITY;
    const free = running - this.#running.size;
    const hasShare = (this.#ofTenant.get(lane.tenantId) ?? 0) < RUNNING_PER_FREE * free; // Q5
    return hasShare && lane.running < runningPerLane && (this.#inGroup.get(lane.group) ?? 0) < most;
  }

  #start(laneName: string, lane: Lane, run: Job): void {
    lane.running++;
    count(this.#inGroup, lane.group, 1);
    count(this.#ofTenant, lane.tenantId, 1);
    const running = run().finally(() => {
      lane.running--;
      count(this.#inGroup, lane.group, -1);
      count(this.#ofTenant, lane.tenantId, -1);
      this.#running.delete(running);
      if (lane.running === 0 && lane.waiting.length === 0 && this.#lanes.get(laneName) === lane) this.#lanes.delete(laneName);
      this.#startWaiting();
    });
    this.#running.add(running);
  }

  /** All that may; a lane that starts one stands behind the others then. */
  #startWaiting(): void {
    if (this.#stopped) return;
    for (const [laneName, lane] of this.#lanes) {
      if (this.#running.size >= this.#bounds.running) return;
      if (lane.waiting.length === 0 || !this.#hasSlot(lane)) continue;
      const run = lane.waiting.shift(); // Q3
      if (run === undefined) continue;
      this.#waiting--;
      this.#lanes.delete(laneName); // Q2: to the end of the line
      this.#lanes.set(laneName, lane);
      this.#start(laneName, lane, run);
      this.#tellRoom();
    }
  }

  #tellRoom(): void {
    for (const resolve of this.#roomFor.splice(0)) resolve();
  }
}

function count(counts: Map<string, number>, name: string, change: number): void {
  const now = (counts.get(name) ?? 0) + change;
  if (now === 0) counts.delete(name);
  else counts.set(name, now);
}
