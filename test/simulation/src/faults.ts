import type { Chance } from './chance.ts';
import type { Cluster } from './cluster.ts';
import type { Member } from './group.ts';
import { NO_FAULTS, type Rates, type Scheduler } from './scheduler.ts';
import type { WorkLog } from './work-log.ts';

/** What goes wrong in one run: how often each thing, as weights, and how long the quiet between two of them. */
export type Plan = {
  name: string;
  everyMs: number;
  rates: Rates;
  /** Answers that never arrive, and appends that a producer repeats. */
  lostAnswers: number;
  repeats: number;
  skewMs: number;
  /** At least so many at the start. */
  processes: number;
  weights: { crash: number; move: number; pause: number; jump: number; logJump: number; outage: number };
};

const SOME: Rates = { fails: 0.01, lost: 0.01, slow: 0.03, slowMs: 2_000 };
const OUTAGE: Rates = { fails: 0.5, lost: 0.1, slow: 0.2, slowMs: 3_000 };
const ALL = { crash: 3, move: 3, pause: 2, jump: 1, logJump: 1, outage: 1 };
const NONE = { crash: 0, move: 0, pause: 0, jump: 0, logJump: 0, outage: 0 };

/** Runs differ in what they suffer, so that no fault hides behind another. */
const PLANS: { [name: string]: Omit<Plan, 'name'> } = {
  calm: {
    everyMs: 0,
    rates: { ...NO_FAULTS, slow: 0.01, slowMs: 50 },
    lostAnswers: 0,
    repeats: 0,
    skewMs: 300,
    processes: 1,
    weights: NONE,
  },
  mixed: { everyMs: 6_000, rates: SOME, lostAnswers: 0.1, repeats: 0.03, skewMs: 1_000, processes: 1, weights: ALL },
  crashes: { everyMs: 3_000, rates: NO_FAULTS, lostAnswers: 0.05, repeats: 0, skewMs: 0, processes: 1, weights: { ...NONE, crash: 1 } },
  owners: {
    everyMs: 4_000,
    rates: { ...SOME, fails: 0, lost: 0 },
    lostAnswers: 0.02,
    repeats: 0.01,
    skewMs: 200,
    processes: 2,
    weights: { ...NONE, move: 3, pause: 3, crash: 1 },
  },
  clocks: {
    everyMs: 5_000,
    rates: NO_FAULTS,
    lostAnswers: 0,
    repeats: 0,
    skewMs: 5_000,
    processes: 1,
    weights: { ...NONE, jump: 3, logJump: 3, move: 1 },
  },
  errors: {
    everyMs: 8_000,
    rates: { fails: 0.04, lost: 0.04, slow: 0.05, slowMs: 3_000 },
    lostAnswers: 0.2,
    repeats: 0.05,
    skewMs: 100,
    processes: 1,
    weights: { ...NONE, outage: 1 },
  },
};
const SHARES = { calm: 3, mixed: 6, crashes: 4, owners: 5, clocks: 2, errors: 3 };

export function planOf(chance: Chance): Plan {
  const name = chance.weighted(SHARES);
  const plan = PLANS[name];
  if (plan === undefined) throw new Error(`there is no plan ${name}`);
  return { name, ...plan };
}

/** Makes things go wrong, one after the other, until it is stopped. */
export class Faults {
  readonly #plan: Plan;
  readonly #chance: Chance;
  readonly #scheduler: Scheduler;
  readonly #cluster: Cluster;
  readonly #log: WorkLog;
  #isOver = false;

  constructor(plan: Plan, chance: Chance, scheduler: Scheduler, cluster: Cluster, log: WorkLog) {
    this.#plan = plan;
    this.#chance = chance;
    this.#scheduler = scheduler;
    this.#cluster = cluster;
    this.#log = log;
    scheduler.rates = plan.rates;
  }

  begin(): void {
    if (this.#plan.everyMs > 0) this.#next();
  }

  end(): void {
    this.#isOver = true;
    this.#scheduler.note('faults', 'END');
    this.#scheduler.rates = NO_FAULTS;
    this.#cluster.heal();
  }

  #next(): void {
    this.#scheduler.after(this.#chance.between(0, 2 * this.#plan.everyMs), () => {
      if (this.#isOver) return;
      this.#one();
      this.#next();
    });
  }

  /** Most things happen to a process that is in the middle of its work. */
  #one(): void {
    const { members } = this.#cluster;
    if (members.length === 0) return;
    const member = this.#chance.pick(members);
    if (this.#chance.is(0.2)) this.#happens(member);
    else
      this.#scheduler.ambush(member.process, this.#chance.between(0, 30), () => {
        if (!this.#isOver) this.#happens(member);
      });
  }

  #happens(member: Member): void {
    const [chance, cluster, scheduler, log] = [this.#chance, this.#cluster, this.#scheduler, this.#log];
    const partition = chance.between(0, log.partitions - 1);
    const acts: { [fault in keyof Plan['weights']]: () => void } = {
      crash: () => cluster.crash(member),
      move: () => cluster.move(partition, chance.pick([0, 500, 5_000, 20_000])),
      pause: () => cluster.pause(member, chance.pick([300, 2_000, 10_000, 30_000, 75_000])),
      jump: () => {
        scheduler.note(member.process.name, 'its clock JUMPS');
        scheduler.jump(member.process, chance.pick([-5_000, -500, 500, 20_000]));
      },
      logJump: () => {
        scheduler.note('log', `the clock of ${partition} JUMPS`);
        log.clockOffsets[partition] = (log.clockOffsets[partition] ?? 0) + chance.pick([-3_000, -400, 400, 3_000]);
      },
      outage: () => {
        scheduler.note('faults', 'an OUTAGE begins');
        scheduler.rates = OUTAGE;
        scheduler.after(chance.between(500, 6_000), () => {
          if (!this.#isOver) scheduler.rates = this.#plan.rates;
        });
      },
    };
    acts[chance.weighted(this.#plan.weights)]();
  }
}
