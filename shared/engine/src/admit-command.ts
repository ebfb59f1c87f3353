import type { Command } from '@retrigger/domain/command.ts';
import type { Fingerprint } from '@retrigger/domain/idempotency.ts';
import { taskKey } from '@retrigger/domain/identifiers.ts';
import { isPermitted } from '@retrigger/domain/permissions.ts';
import type { Outcome } from '@retrigger/domain/refusal.ts';
import type { Answer, Answers } from '@retrigger/ports/answers.ts';
import type { Leases } from '@retrigger/ports/leases.ts';
import type { Limit, Limiter } from '@retrigger/ports/limiter.ts';
import { CHARGED_HEADER, type Log, type NewRecord, TOPICS } from '@retrigger/ports/log.ts';
import type { Observer } from '@retrigger/ports/observer.ts';
import type { Receipt } from '@retrigger/ports/receipt-store.ts';
import { CommandCharges } from './charge-command.ts';
import type { LimitsFor } from './command-limits.ts';
import { KnownReceipts, type ReceiptPorts } from './known-receipts.ts';
import { checked, completed, type Ready } from './ready.ts';
import { ReceiptWatch } from './receipt-watch.ts';
import { isSame, receiptNames, replay, reused } from './replay.ts';
import { Rivals } from './rivals.ts';
import { UndecidedShares } from './undecided-shares.ts';
import { nothingWithin, within } from './within.ts';
import type { WorkLag } from './work-lag.ts';

export type AdmissionPorts = ReceiptPorts & {
  log: Pick<Log, 'append' | 'partitionOf' | 'stuckMs'>;
  /** How far the workers are behind. */
  lag: Pick<WorkLag, 'ageMs' | 'oldestMs'>;
  answers: Answers;
  limiter: Limiter;
  /** Where other processes are doors as well (G9). */
  leases?: Pick<Leases, 'take' | 'end'>;
  observer: Observer;
  encode(command: Command): NewRecord;
  /** Puts what is personal out of sight (P1). */
  seal<C extends Command>(command: C): Promise<C>;
};

export type AdmissionConfig = {
  limitsFor: LimitsFor;
  /** Commands of this process that are neither decided nor given up; past it `overloaded`. */
  maxInFlight: number;
  /** How many of those one tenant may have on one partition; past it `limited`. 0 = no bound there. */
  maxUndecided: number;
};

/** A command that a door wants to hand in. `P` is what the door calls a problem with it. */
export type Submission<P = never> = {
  command: Command & { fingerprint: Fingerprint };
  /** The caller gave an idempotency key, so this may be a repeat. */
  isRepeatable: boolean;
  /** Tasks to trigger; what the limits are charged, if the caller may. */
  cost: number;
  /** How long to wait for the outcome; 0 = not at all. */
  waitMs: number;
  /** Ends the wait early: whoever serves the caller must go. */
  leaving?: AbortSignal;
  /** What is wrong with it as the world is now (its time is past, …), or what completes it. A repeat is not asked again: it gets its first answer. */
  check?(): Promise<P | Ready | undefined>;
};

/** All but the first two have cost nothing. After `unavailable` the command is not in the log, or, where that is not sure, may be. */
export type Admission<P = never> =
  | { kind: 'decided'; outcome: Outcome; replayed: boolean }
  | { kind: 'pending'; acceptedAt: number }
  | { kind: 'invalid'; problem: P }
  | { kind: 'limited'; limit: Limit; remaining: number; retryAfterMs: number }
  | { kind: 'overloaded' }
  | { kind: 'unavailable'; isSure: boolean };

type Launched<P> = Exclude<Admission<P>, { kind: 'decided' }> | { kind: 'known'; receipt: Receipt } | { kind: 'rival'; first: Fingerprint };

/** What came of a command: the worker's answer, or its receipt when that was found first. Undefined: neither came while it was in flight. */
type Told = { kind: 'answer'; answer: Answer } | { kind: 'receipt'; receipt: Receipt } | undefined;

type Flight<P> = { fingerprint: Fingerprint; launched: Promise<Launched<P>>; told: Promise<Told> };

/** A partition whose oldest record has waited for so long takes nothing more; nor does one that has kept an append waiting for so long. */
const MOST_LAG_MS = 10_000;
const MOST_STUCK_MS = 2_000;

const OVERLOADED = { kind: 'overloaded' } as const;
const UNAVAILABLE = { kind: 'unavailable', isSure: true } as const;
/** So long a command counts as in flight when no answer comes; a repeat after that is handed in, and charged, again. */
const IN_FLIGHT_MS = 60_000;

/**
 * The law that every door applies before a command reaches the log, and the wait for what comes of it.
 * G1: a command is charged once. A repeat joins the one that is in flight here, or finds its receipt, before anything is charged.
 * G2: the answer is listened for before the command is appended, so it can't be missed.
 * G3: while a command is undecided its receipt is looked for, and once more before `pending` is said, so a lost answer costs a little time and nothing else.
 * G4: whatever the door refuses is neither charged nor appended; of an `unavailable` that is not sure, only the charge is.
 * G5: what the caller's roles don't permit is handed in all the same, free of charge: the worker refuses it, and the task's history shows it.
 * G6: past what is in flight, and while the workers are late or the log says nothing, commands are shed before anything is charged or appended; repeats of what is decided are not.
 * G8: what is personal is sealed before anything else is done with a command, whichever door it came through.
 * G9: of two requests under one id that ask for different things only one gets on, also at two doors at once.
 * G7: a tenant has a bounded share of what is undecided on a partition and of what is in flight, so that it can't make the others wait.
 */
export class CommandAdmission<P = never> {
  readonly #flights = new Map<string, Flight<P>>();
  readonly #receipts: KnownReceipts;
  readonly #watch: ReceiptWatch;
  readonly #ports: AdmissionPorts;
  readonly #config: AdmissionConfig;
  readonly #charges: CommandCharges;
  readonly #shares: UndecidedShares;
  readonly #rivals: Rivals;

  constructor(ports: AdmissionPorts, config: AdmissionConfig) {
    this.#ports = ports;
    this.#config = config;
    this.#charges = new CommandCharges(ports, config.limitsFor);
    this.#shares = new UndecidedShares(config.maxUndecided, config.maxInFlight);
    this.#rivals = new Rivals(ports);
    this.#receipts = new KnownReceipts(ports);
    this.#watch = new ReceiptWatch(ports.clock, async (ids) => [...(await this.#receipts.visible(ids)).values()]);
    ports.observer.gauge('commands_in_flight', () => this.#flights.size);
    ports.observer.gauge('work_lag_seconds', () => ports.lag.oldestMs() / 1000);
  }

  /** How near it is to shedding: 1 is there. */
  get load(): number {
    return Math.max(this.#flights.size / this.#config.maxInFlight, this.#ports.lag.oldestMs() / MOST_LAG_MS);
  }

  /** Never throws for what a caller or a broken machine behind a port can cause. */
  async admit(submission: Submission<P>): Promise<Admission<P>> {
    const admission = this.#isFull(submission.command) ? OVERLOADED : await this.#sealAndAdmit(submission);
    this.#ports.observer.count('commands_total', { type: submission.command.type, outcome: labelOf(admission) });
    return admission;
  }

  /** G6: no place in flight for one that is not there yet. */
  #isFull({ commandId }: Command): boolean {
    return this.#flights.size >= this.#config.maxInFlight && !this.#flights.has(commandId);
  }

  async #sealAndAdmit(submission: Submission<P>): Promise<Admission<P>> {
    const { type } = submission.command;
    const sealed = await this.#ports.seal(submission.command).catch((error: unknown) => {
      this.#ports.observer.log('error', 'a command could not be sealed', { type, error: String(error) });
    }); // G8
    return sealed ? this.#admit({ ...submission, command: sealed }) : UNAVAILABLE;
  }

  async #admit(submission: Submission<P>): Promise<Admission<P>> {
    const { command, isRepeatable, waitMs, leaving } = submission;
    const twin = this.#flights.get(command.commandId);
    if (this.#isFull(command)) return OVERLOADED;
    const flight = twin ?? this.#depart(submission);
    const launched = await flight.launched;
    const joined = twin !== undefined;
    if (launched.kind === 'known') return replay(launched.receipt, command.fingerprint, true);
    if (launched.kind === 'rival')
      return isSame(launched.first, command.fingerprint) ? this.#admit(submission) : reused(launched.first, command.fingerprint);
    if (launched.kind !== 'pending') return joined && !isSame(flight.fingerprint, command.fingerprint) ? this.#admit(submission) : launched;
    if (joined && !isSame(flight.fingerprint, command.fingerprint)) return reused(flight.fingerprint, command.fingerprint);
    if (waitMs === 0) return launched;
    const told = await within(flight.told, waitMs, this.#ports.clock, leaving);
    if (told?.kind === 'answer') return { kind: 'decided', outcome: told.answer.outcome, replayed: joined || told.answer.replayed };
    const [seen] = told === undefined ? await this.#seen(receiptNames(command, isRepeatable)) : [];
    const receipt = told?.receipt ?? seen; // G3
    return receipt === undefined ? launched : replay(receipt, command.fingerprint, joined);
  }

  /** Enters the command into the flights, in one turn with the look for its twin, and sets it going. */
  #depart(submission: Submission<P>): Flight<P> {
    const { commandId, fingerprint } = submission.command;
    let arrive: (told: Promise<Told>) => void = () => {};
    const told = new Promise<Told>((resolve) => {
      arrive = resolve;
    });
    const flight: Flight<P> = { fingerprint, told, launched: this.#launch(submission, arrive) };
    this.#flights.set(commandId, flight);
    const land = () => {
      if (this.#flights.get(commandId) !== flight) return;
      this.#flights.delete(commandId);
      this.#shares.leave(commandId);
    };
    void flight.launched.then(({ kind }) => {
      if (kind !== 'pending') land();
    });
    void told.then(land);
    if (submission.isRepeatable) void told.then((outcome) => outcome && this.#rivals.decided(submission.command)); // G9
    return flight;
  }

  async #launch(submission: Submission<P>, arrive: (told: Promise<Told>) => void): Promise<Launched<P>> {
    const { log, lag, answers, clock, observer, encode } = this.#ports;
    const { command, isRepeatable } = submission;
    const { commandId, tenantId } = command;
    const isAllowed = isPermitted(command);
    let giveBack: (() => Promise<void>) | undefined;
    let isSure = true;
    try {
      const [receipt] = isRepeatable ? (await this.#receipts.load([commandId])).values() : []; // G1
      if (receipt !== undefined) {
        if (await this.#receipts.isSeen(receipt)) return { kind: 'known', receipt };
        arrive(this.#hear(command, isRepeatable)); // V1
        return { kind: 'pending', acceptedAt: receipt.position.at };
      }
      const partition = log.partitionOf(TOPICS.work, taskKey(tenantId, command.taskId));
      if (lag.ageMs(partition) > MOST_LAG_MS) return OVERLOADED; // G6
      if ((log.stuckMs?.(TOPICS.work, partition) ?? 0) > MOST_STUCK_MS) return UNAVAILABLE; // G6
      const { problem, ready } = isAllowed ? await checked<P>(submission) : {};
      if (problem !== undefined) return { kind: 'invalid', problem };
      const full = this.#shares.take(commandId, tenantId, partition); // G7
      if (full !== undefined) return full;
      const charge = await this.#charges.charge(command, isAllowed ? (ready?.charged ?? submission.cost) : 0); // G5
      if (charge.kind === 'limited') return charge;
      giveBack = charge.giveBack;
      const first = isRepeatable ? await this.#rivals.first(command) : undefined; // G9
      if (first !== undefined) return await giveBack().then(() => ({ kind: 'rival', first }));
      const record = encode({ ...completed(command, ready), replyTo: answers.address });
      if (charge.cost > 0) record.headers[CHARGED_HEADER] = String(charge.cost); // what a restart refills the limits from
      const acceptedAt = clock.now();
      arrive(this.#hear(command, isRepeatable)); // G2
      isSure = false; // L1
      await log.append(TOPICS.work, [record]);
      return { kind: 'pending', acceptedAt };
    } catch (error) {
      observer.log('error', 'a command could not be handed in', { type: command.type, error: String(error) });
      await giveBack?.(); // G4
      return { ...UNAVAILABLE, isSure };
    }
  }

  /** Listens from when it is called (G2), and looks for the receipt as well (G3). */
  #hear(command: Command, isRepeatable: boolean): Promise<Told> {
    const answered = this.#ports.answers
      .expect(command.commandId, IN_FLIGHT_MS)
      .catch(() => nothingWithin(IN_FLIGHT_MS, this.#ports.clock)); // its receipt is all there will be
    return new Promise((resolve) => {
      const found = (receipt: Receipt) => resolve({ kind: 'receipt', receipt });
      const watches = receiptNames(command, isRepeatable).map((name) => this.#watch.watch(name, found));
      void answered.then((answer) => {
        for (const stop of watches) stop();
        resolve(answer && { kind: 'answer', answer });
      });
    });
  }

  #seen = async (names: string[]): Promise<Receipt[]> => [
    ...(await this.#receipts.visible(names).catch(() => new Map<string, Receipt>())).values(),
  ];
}

function labelOf(admission: Admission<unknown>): string {
  if (admission.kind !== 'decided') return admission.kind;
  return admission.outcome.kind === 'accepted' ? 'accepted' : admission.outcome.refusal.code;
}
