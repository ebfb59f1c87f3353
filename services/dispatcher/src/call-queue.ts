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

type Lane = { group: string; running: number; waiting: Job[] };

/**
 * Bounded concurrency with a lane for each target.
 * Q1: never more jobs run than the bounds say, in all, in a lane and in a group.
 * Q2: lanes that wait take turns, so a target that hangs holds up its own lane and leaves the other slots to the rest.
 * Q3: a lane's jobs start in the order in which they came.
 * Q4: a lane belongs to one group, so a group at its bound holds up its own lanes and no others.
 */
export class CallQueue {
  readonly #bounds: CallQueueBounds;
  readonly #lanes = new Map<string, Lane>();
  readonly #inGroup = new Map<string, number>();
  readonly #running = new Set<Promise<void>>();
  #waiting = 0;
  #stopped = false;
  #roomFor: (() => void)[] = [];

  constructor(bounds: CallQueueBounds) {
    this.#bounds = bounds;
  }

  /** Starts the job, at once when there is a slot. Returns whether it has to wait: what it was decided on may then be old when it starts. */
  add(laneName: string, group: string, run: Job): 'started' | 'waits' {
    if (this.#stopped) return 'waits';
    const lane = this.#lanes.get(laneName) ?? { group, running: 0, waiting: [] };
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
    return this.#running.size < running && lane.running < runningPerLane && (this.#inGroup.get(lane.group) ?? 0) < most;
  }

  #start(laneName: string, lane: Lane, run: Job): void {
    lane.running++;
    this.#count(lane.group, 1);
    const running = run().finally(() => {
      lane.running--;
      this.#count(lane.group, -1);
      this.#running.delete(running);
      if (lane.running === 0 && lane.waiting.length === 0 && this.#lanes.get(laneName) === lane) this.#lanes.delete(laneName);
      this.#startWaiting();
    });
    this.#running.add(running);
  }

  #count(group: string, change: number): void {
    const now = (this.#inGroup.get(group) ?? 0) + change;
    if (now === 0) this.#inGroup.delete(group);
    else this.#inGroup.set(group, now);
  }

  #startWaiting(): void {
    if (this.#stopped) return;
    for (const [laneName, lane] of this.#lanes) {
      if (lane.waiting.length === 0 || !this.#hasSlot(lane)) continue;
      const run = lane.waiting.shift(); // Q3
      if (run === undefined) continue;
      this.#waiting--;
      this.#lanes.delete(laneName); // Q2: to the end of the line
      this.#lanes.set(laneName, lane);
      this.#start(laneName, lane, run);
      this.#tellRoom();
      return;
    }
  }

  #tellRoom(): void {
    for (const resolve of this.#roomFor.splice(0)) resolve();
  }
}
