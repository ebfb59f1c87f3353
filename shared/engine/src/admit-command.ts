import type { Command } from '@retrigger/domain/command.ts';
import { differingFields, type Fingerprint } from '@retrigger/domain/idempotency.ts';
import { derive } from '@retrigger/domain/identifiers.ts';
import { isGranted, type Permission } from '@retrigger/domain/permissions.ts';
import { type Outcome, refused } from '@retrigger/domain/refusal.ts';
import type { Answer, Answers } from '@retrigger/ports/answers.ts';
import type { Clock } from '@retrigger/ports/clock.ts';
import type { Limit, Limiter } from '@retrigger/ports/limiter.ts';
import { type Log, type NewRecord, TOPICS } from '@retrigger/ports/log.ts';
import type { Observer } from '@retrigger/ports/observer.ts';
import { RECEIPT_LIFE_MS, type Receipt, type ReceiptStore } from '@retrigger/ports/receipt-store.ts';
import { type CommandLimits, limitsOf } from './command-limits.ts';

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

/** A valid command that a door wants to hand in. */
export type Submission = {
  command: Command & { fingerprint: Fingerprint };
  permission: Permission;
  /** The caller gave an idempotency key, so this may be a repeat. */
  isRepeatable: boolean;
  /** Tasks to trigger; what the limits are charged. */
  cost: number;
  /** How long to wait for the outcome; 0 = not at all. */
  waitMs: number;
};

/** `limited` and `overloaded` and `unavailable` have cost nothing; after `unavailable` the command may or may not be in the log. */
export type Admission =
  | { kind: 'decided'; outcome: Outcome; replayed: boolean }
  | { kind: 'pending'; acceptedAt: number }
  | { kind: 'forbidden' }
  | { kind: 'limited'; limit: Limit; remaining: number; retryAfterMs: number }
  | { kind: 'overloaded' }
  | { kind: 'unavailable'; reason: string };

type Launched = Exclude<Admission, { kind: 'decided' }> | { kind: 'known'; receipt: Receipt };

type Flight = { fingerprint: Fingerprint; launched: Promise<Launched>; answered: Promise<Answer | undefined> };

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
 * G3: before `pending` is said the receipt is looked for once, so a lost answer costs time and nothing else.
 * G4: whatever the door refuses is neither charged nor appended, except `unavailable`, of which only the charge is sure.
 */
export class CommandAdmission {
  readonly #flights = new Map<string, Flight>();
  readonly #ports: AdmissionPorts;
  readonly #config: AdmissionConfig;

  constructor(ports: AdmissionPorts, config: AdmissionConfig) {
    this.#ports = ports;
    this.#config = config;
    ports.observer.gauge('commands_in_flight', () => this.#flights.size);
  }

  /** The share of the bound that is taken: from 0 to 1. */
  get load(): number {
    return this.#flights.size / this.#config.maxInFlight;
  }

  /** Never throws for what a caller or a broken machine behind a port can cause. */
  async admit(submission: Submission): Promise<Admission> {
    const admission = await this.#admit(submission);
    this.#ports.observer.count('commands_total', { type: submission.command.type, outcome: labelOf(admission) });
    return admission;
  }

  async #admit(submission: Submission): Promise<Admission> {
    const { command, permission, waitMs } = submission;
    if (!isGranted(command.roles, permission)) return { kind: 'forbidden' };
    const twin = this.#flights.get(command.commandId);
    if (twin === undefined && this.#flights.size >= this.#config.maxInFlight) return { kind: 'overloaded' };
    const flight = twin ?? this.#depart(submission);
    const launched = await flight.launched;
    const joined = twin !== undefined;
    if (launched.kind === 'known') return replay(launched.receipt, command.fingerprint, true);
    if (launched.kind !== 'pending') return joined && !isSame(flight.fingerprint, command.fingerprint) ? this.#admit(submission) : launched;
    if (joined && !isSame(flight.fingerprint, command.fingerprint)) return reused(flight.fingerprint, command.fingerprint);
    if (waitMs === 0) return launched;
    const answer = await this.#within(flight.answered, waitMs);
    if (answer !== undefined) return { kind: 'decided', outcome: answer.outcome, replayed: joined || answer.replayed };
    const receipt = await this.#receipt(command.commandId).catch(() => undefined); // G3
    return receipt === undefined ? launched : replay(receipt, command.fingerprint, joined);
  }

  /** Enters the command into the flights, in one turn with the look for its twin, and sets it going. */
  #depart(submission: Submission): Flight {
    const { commandId, fingerprint } = submission.command;
    let arrive: (answer: Promise<Answer | undefined>) => void = () => {};
    const answered = new Promise<Answer | undefined>((resolve) => {
      arrive = resolve;
    });
    const flight: Flight = { fingerprint, answered, launched: this.#launch(submission, arrive) };
    this.#flights.set(commandId, flight);
    const land = () => {
      if (this.#flights.get(commandId) === flight) this.#flights.delete(commandId);
    };
    void flight.launched.then(({ kind }) => {
      if (kind !== 'pending') land();
    });
    void answered.then(land);
    return flight;
  }

  async #launch(submission: Submission, arrive: (answer: Promise<Answer | undefined>) => void): Promise<Launched> {
    const { log, answers, limiter, clock, observer, encode } = this.#ports;
    const { command, isRepeatable, cost } = submission;
    const limits = cost === 0 ? [] : limitsOf(this.#config.limits, command);
    let charged = false;
    try {
      if (isRepeatable) {
        const receipt = await this.#receipt(command.commandId); // G1
        if (receipt !== undefined) return { kind: 'known', receipt };
      }
      if (limits.length > 0) {
        const charge = await limiter.charge(limits, cost);
        if (charge.kind === 'limited') {
          const limit = limits.find(({ name }) => name === charge.name) ?? {
            name: charge.name,
            key: '',
            points: charge.points,
            windowMs: 0,
          };
          return { kind: 'limited', limit, remaining: charge.remaining, retryAfterMs: charge.retryAfterMs };
        }
        charged = true;
      }
      const acceptedAt = clock.now();
      arrive(answers.expect(command.commandId, IN_FLIGHT_MS).catch(() => this.#unheard())); // G2
      await log.append(TOPICS.work, [encode({ ...command, replyTo: answers.address })]);
      return { kind: 'pending', acceptedAt };
    } catch (error) {
      observer.log('error', 'a command could not be handed in', { type: command.type, error: String(error) });
      if (charged) await limiter.refund(limits, cost).catch(() => {}); // G4
      return { kind: 'unavailable', reason: 'the command could not be stored' };
    }
  }

  async #receipt(commandId: string): Promise<Receipt | undefined> {
    const receipt = (await this.#ports.receipts.load([commandId])).get(commandId);
    return receipt !== undefined && this.#ports.clock.now() - receipt.position.at < RECEIPT_LIFE_MS ? receipt : undefined;
  }

  /** Nobody can tell the answer: its receipt is all there will be. */
  #unheard(): Promise<undefined> {
    const { clock } = this.#ports;
    return new Promise((resolve) => clock.timer(clock.now() + IN_FLIGHT_MS, () => resolve(undefined)));
  }

  #within(answered: Promise<Answer | undefined>, waitMs: number): Promise<Answer | undefined> {
    const { clock } = this.#ports;
    return new Promise((resolve) => {
      const cancel = clock.timer(clock.now() + waitMs, () => resolve(undefined));
      void answered.then((answer) => {
        cancel();
        resolve(answer);
      });
    });
  }
}

const isSame = (first: Fingerprint, second: Fingerprint): boolean => first === second || differingFields(first, second).length === 0;

const replay = (receipt: Receipt, fingerprint: Fingerprint, replayed: boolean): Admission =>
  isSame(receipt.fingerprint, fingerprint)
    ? { kind: 'decided', outcome: receipt.outcome, replayed }
    : reused(receipt.fingerprint, fingerprint);

function reused(first: Fingerprint, second: Fingerprint): Admission {
  const fields = differingFields(first, second);
  const detail = `This idempotency key was used for another request; these fields differ: ${fields.join(', ')}`;
  return { kind: 'decided', outcome: refused('idempotency_key_reused', detail, { fields }), replayed: false };
}

function labelOf(admission: Admission): string {
  if (admission.kind !== 'decided') return admission.kind;
  return admission.outcome.kind === 'accepted' ? 'accepted' : admission.outcome.refusal.code;
}
