import type { Command } from '@retrigger/domain/command.ts';
import { differingFields, type Fingerprint } from '@retrigger/domain/idempotency.ts';
import { derive } from '@retrigger/domain/identifiers.ts';
import { isPermitted } from '@retrigger/domain/permissions.ts';
import { type Outcome, refused } from '@retrigger/domain/refusal.ts';
import type { Answer, Answers } from '@retrigger/ports/answers.ts';
import type { Clock } from '@retrigger/ports/clock.ts';
import type { Limit, Limiter } from '@retrigger/ports/limiter.ts';
import { type Log, type NewRecord, TOPICS } from '@retrigger/ports/log.ts';
import type { Observer } from '@retrigger/ports/observer.ts';
import { RECEIPT_LIFE_MS, type Receipt, type ReceiptStore, unboundReceiptId } from '@retrigger/ports/receipt-store.ts';
import { type CommandLimits, limitsOf } from './command-limits.ts';
import { completed, type Ready, readyOf } from './ready.ts';
import { ReceiptWatch } from './receipt-watch.ts';

export type AdmissionPorts = {
  log: Pick<Log, 'append'>;
  answers: Answers;
  receipts: Pick<ReceiptStore, 'load'>;
  limiter: Limiter;
  clock: Clock;
  observer: Observer;
  encode(command: Command): NewRecord;
};

/** `maxInFlight`: commands of this process that are neither decided nor given up; past it `overloaded`. */
export type AdmissionConfig = { limits: CommandLimits; maxInFlight: number };

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
  /**
   * What is wrong with it as the world is now (its time is past, it names what does not exist), or what makes it complete (the tasks that a filter selects).
   * A repeat is not asked again: it gets its first answer.
   */
  check?(): Promise<P | Ready | undefined>;
};

/** All but the first two have cost nothing; after `unavailable` the command may or may not be in the log. */
export type Admission<P = never> =
  | { kind: 'decided'; outcome: Outcome; replayed: boolean }
  | { kind: 'pending'; acceptedAt: number }
  | { kind: 'invalid'; problem: P }
  | { kind: 'limited'; limit: Limit; remaining: number; retryAfterMs: number }
  | { kind: 'overloaded' }
  | { kind: 'unavailable'; reason: string };

type Launched<P> = Exclude<Admission<P>, { kind: 'decided' }> | { kind: 'known'; receipt: Receipt };

/** What came of a command: the worker's answer, or its receipt when that was found first. Undefined: neither came while it was in flight. */
type Told = { kind: 'answer'; answer: Answer } | { kind: 'receipt'; receipt: Receipt } | undefined;

type Flight<P> = { fingerprint: Fingerprint; launched: Promise<Launched<P>>; told: Promise<Told> };

/** So long a command counts as in flight when no answer comes; a repeat after that is handed in, and charged, again. */
const IN_FLIGHT_MS = 60_000;

/** The id under which a door knows a request: twins share it. Null key = no idempotency asked for, so the id is fresh. */
export const commandIdOf = (
  caller: { door: string; tenantId: string; userId: string },
  request: { method: string; path: string },
  key: string | null,
  freshId: () => string,
): string => (key === null ? freshId() : derive(caller.door, caller.tenantId, caller.userId, request.method, request.path, key));

/**
 * The law that every door applies before a command reaches the log, and the wait for what comes of it.
 * G1: a command is charged once. A repeat joins the one that is in flight here, or finds its receipt, before anything is charged.
 * G2: the answer is listened for before the command is appended, so it can't be missed.
 * G3: while a command is undecided its receipt is looked for, and once more before `pending` is said, so a lost answer costs a little time and nothing else.
 * G4: whatever the door refuses is neither charged nor appended, except `unavailable`, of which only the charge is sure.
 * G5: what the caller's roles don't permit is handed in all the same, free of charge: the worker refuses it, and the task's history shows it.
 */
export class CommandAdmission<P = never> {
  readonly #flights = new Map<string, Flight<P>>();
  readonly #watch: ReceiptWatch;
  readonly #ports: AdmissionPorts;
  readonly #config: AdmissionConfig;

  constructor(ports: AdmissionPorts, config: AdmissionConfig) {
    this.#ports = ports;
    this.#config = config;
    this.#watch = new ReceiptWatch(ports.clock, async (ids) => [...(await this.#receipts(ids)).values()]);
    ports.observer.gauge('commands_in_flight', () => this.#flights.size);
  }

  /** The share of the bound that is taken: from 0 to 1. */
  get load(): number {
    return this.#flights.size / this.#config.maxInFlight;
  }

  /** Never throws for what a caller or a broken machine behind a port can cause. */
  async admit(submission: Submission<P>): Promise<Admission<P>> {
    const admission = await this.#admit(submission);
    this.#ports.observer.count('commands_total', { type: submission.command.type, outcome: labelOf(admission) });
    return admission;
  }

  async #admit(submission: Submission<P>): Promise<Admission<P>> {
    const { command, isRepeatable, waitMs, leaving } = submission;
    const twin = this.#flights.get(command.commandId);
    if (twin === undefined && this.#flights.size >= this.#config.maxInFlight) return { kind: 'overloaded' };
    const flight = twin ?? this.#depart(submission);
    const launched = await flight.launched;
    const joined = twin !== undefined;
    if (launched.kind === 'known') return replay(launched.receipt, command.fingerprint, true);
    if (launched.kind !== 'pending') return joined && !isSame(flight.fingerprint, command.fingerprint) ? this.#admit(submission) : launched;
    if (joined && !isSame(flight.fingerprint, command.fingerprint)) return reused(flight.fingerprint, command.fingerprint);
    if (waitMs === 0) return launched;
    const told = await this.#within(flight.told, waitMs, leaving);
    if (told?.kind === 'answer') return { kind: 'decided', outcome: told.answer.outcome, replayed: joined || told.answer.replayed };
    const receipt = told?.receipt ?? (await this.#receipt(namesOf(command, isRepeatable)).catch(() => undefined)); // G3
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
      if (this.#flights.get(commandId) === flight) this.#flights.delete(commandId);
    };
    void flight.launched.then(({ kind }) => {
      if (kind !== 'pending') land();
    });
    void told.then(land);
    return flight;
  }

  async #launch(submission: Submission<P>, arrive: (told: Promise<Told>) => void): Promise<Launched<P>> {
    const { log, answers, limiter, clock, observer, encode } = this.#ports;
    const { command, isRepeatable } = submission;
    const isAllowed = isPermitted(command);
    let [cost, limits]: [number, Limit[]] = [0, []];
    let charged = false;
    try {
      if (isRepeatable) {
        const receipt = await this.#receipt([command.commandId]); // G1
        if (receipt !== undefined) return { kind: 'known', receipt };
      }
      const found = isAllowed ? await submission.check?.() : undefined;
      const ready = readyOf(found);
      if (found !== undefined && ready === undefined) return { kind: 'invalid', problem: found as P };
      cost = isAllowed ? (ready?.charged.length ?? submission.cost) : 0; // G5
      limits = cost === 0 ? [] : limitsOf(this.#config.limits, command, ready?.charged);
      if (limits.length > 0) {
        const charge = await limiter.charge(limits, cost);
        if (charge.kind === 'limited') {
          const { name, points, remaining, retryAfterMs } = charge;
          const limit = limits.find((one) => one.name === name) ?? { name, key: '', points, windowMs: 0 };
          return { kind: 'limited', limit, remaining, retryAfterMs };
        }
        charged = true;
      }
      const acceptedAt = clock.now();
      arrive(this.#hear(command, isRepeatable)); // G2
      await log.append(TOPICS.work, [encode({ ...completed(command, ready), replyTo: answers.address })]);
      return { kind: 'pending', acceptedAt };
    } catch (error) {
      observer.log('error', 'a command could not be handed in', { type: command.type, error: String(error) });
      if (charged) await limiter.refund(limits, cost).catch(() => {}); // G4
      return { kind: 'unavailable', reason: 'the command could not be stored' };
    }
  }

  /** Listens from when it is called (G2), and looks for the receipt as well (G3). */
  #hear(command: Command, isRepeatable: boolean): Promise<Told> {
    const answered = this.#ports.answers.expect(command.commandId, IN_FLIGHT_MS).catch(() => this.#unheard());
    return new Promise((resolve) => {
      const found = (receipt: Receipt) => resolve({ kind: 'receipt', receipt });
      const watches = namesOf(command, isRepeatable).map((name) => this.#watch.watch(name, found));
      void answered.then((answer) => {
        for (const stop of watches) stop();
        resolve(answer && { kind: 'answer', answer });
      });
    });
  }

  async #receipt(names: string[]): Promise<Receipt | undefined> {
    const [receipt] = (await this.#receipts(names)).values();
    return receipt;
  }

  /** Those that are not a day old. */
  async #receipts(commandIds: string[]): Promise<Map<string, Receipt>> {
    const found = await this.#ports.receipts.load(commandIds);
    const now = this.#ports.clock.now();
    return new Map([...found].filter(([, { position }]) => now - position.at < RECEIPT_LIFE_MS));
  }

  /** Nobody can tell the answer: its receipt is all there will be. */
  #unheard(): Promise<undefined> {
    const { clock } = this.#ports;
    return new Promise((resolve) => clock.timer(clock.now() + IN_FLIGHT_MS, () => resolve(undefined)));
  }

  #within(told: Promise<Told>, waitMs: number, leaving: AbortSignal | undefined): Promise<Told> {
    const { clock } = this.#ports;
    if (leaving?.aborted) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const end = (found: Told) => {
        cancel();
        leaving?.removeEventListener('abort', leave);
        resolve(found);
      };
      const leave = () => end(undefined);
      const cancel = clock.timer(clock.now() + waitMs, leave);
      leaving?.addEventListener('abort', leave);
      void told.then(end);
    });
  }
}

/**
 * The names that a command's receipt may have. One that binds no repeat tells only a command that nobody has sent before: of a repeat it may be what came
 * of the first.
 */
const namesOf = ({ commandId }: Command, isRepeatable: boolean): string[] =>
  isRepeatable ? [commandId] : [commandId, unboundReceiptId(commandId)];

const isSame = (first: Fingerprint, second: Fingerprint): boolean => first === second || differingFields(first, second).length === 0;

const replay = (receipt: Receipt, fingerprint: Fingerprint, replayed: boolean): Admission & { kind: 'decided' } =>
  isSame(receipt.fingerprint, fingerprint)
    ? { kind: 'decided', outcome: receipt.outcome, replayed }
    : reused(receipt.fingerprint, fingerprint);

function reused(first: Fingerprint, second: Fingerprint): Admission & { kind: 'decided' } {
  const fields = differingFields(first, second);
  const detail = `This idempotency key was used for another request; these fields differ: ${fields.join(', ')}`;
  return { kind: 'decided', outcome: refused('idempotency_key_reused', detail, { fields }), replayed: false };
}

function labelOf(admission: Admission<unknown>): string {
  if (admission.kind !== 'decided') return admission.kind;
  return admission.outcome.kind === 'accepted' ? 'accepted' : admission.outcome.refusal.code;
}
