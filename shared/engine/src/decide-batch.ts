import type { Command } from '@retrigger/domain/command.ts';
import type { Decision } from '@retrigger/domain/decider.ts';
import { isPassed, type StoredEvent } from '@retrigger/domain/event.ts';
import { decisionTime, nextEvent } from '@retrigger/domain/next-event.ts';
import type { Outcome } from '@retrigger/domain/refusal.ts';
import type { Answer } from '@retrigger/ports/answers.ts';
import { RECEIPT_LIFE_MS, type Receipt } from '@retrigger/ports/receipt-store.ts';
import { type Aggregate, type AnyDecider, apply, type Received } from './aggregate.ts';
import { type Known, reply } from './reply.ts';

/** What the records of one aggregate led to. `emitted` holds new events and those of redelivered records, in order. */
export type KeyDecisions = {
  aggregate: Aggregate;
  stored: StoredEvent[];
  emitted: StoredEvent[];
  followUps: Command[];
  receipts: Receipt[];
  answers: { replyTo: string; answer: Answer }[];
  /** Commands decided now, whatever came of it. */
  decided: string[];
  /** Log time of the last heartbeat that was taken; null = none. */
  heardAt: number | null;
};

type Needs = Decision & { kind: 'needs' };
const NO_NEEDS: Needs = { kind: 'needs', keys: [] };

/** `wanted` are keys of other aggregates whose states, `dependentsOf` of those whose dependents are needed to go on with `open`, the records that are not decided yet. */
export type Progress = { wanted: Set<string>; dependentsOf: Set<string>; open: Received[] };

/**
 * Step 3: decides a batch's records in log order, in memory.
 * B1: a command is decided once: not again when it has a receipt, stood earlier in the batch, has its event in the tail, or was passed by the snapshot.
 * B2: a record is decided on the state that stood before it: stored events of earlier records are folded first, those of later ones wait.
 * B3: when events of later records are stored already, this record led to none, and none is made for it now.
 * B4: a record that needs other aggregates' states holds back the later records of its own aggregate, nobody else's.
 */
export class BatchDecider {
  readonly decisions = new Map<string, KeyDecisions>();
  readonly #known = new Map<string, Known>();
  readonly #evidence = new Map<string, unknown>();
  readonly #decider: AnyDecider;

  constructor(decider: AnyDecider) {
    this.#decider = decider;
  }

  load(aggregates: Map<string, Aggregate>, receipts: Map<string, Receipt>): void {
    for (const [key, aggregate] of aggregates) {
      this.decisions.set(key, { aggregate, stored: [], emitted: [], followUps: [], receipts: [], answers: [], decided: [], heardAt: null });
    }
    for (const [commandId, { outcome, fingerprint, position }] of receipts) {
      this.#known.set(commandId, { outcome, fingerprint, offset: position.offset, at: position.at });
    }
  }

  learn(states: Iterable<[string, unknown]>): void {
    for (const [key, state] of states) this.#evidence.set(key, state);
  }

  decide(received: Received[]): Progress {
    const wanted = new Set<string>();
    const dependentsOf = new Set<string>();
    const open: Received[] = [];
    const held = new Set<string>();
    for (const record of received) {
      const needs = held.has(record.key) ? NO_NEEDS : this.#one(record, this.#made(record.key));
      if (needs === undefined) continue;
      for (const key of needs.keys) wanted.add(key);
      for (const key of needs.dependentsOf ?? []) dependentsOf.add(key);
      held.add(record.key); // B4
      open.push(record);
    }
    return { wanted, dependentsOf, open };
  }

  /** Takes back what a key's decisions made known, before they are made again on what is stored now. */
  forget(key: string): void {
    for (const commandId of this.#made(key).decided) this.#known.delete(commandId);
    this.decisions.delete(key);
  }

  #made(key: string): KeyDecisions {
    const made = this.decisions.get(key);
    if (made === undefined) throw new Error(`${key} was not loaded`);
    return made;
  }

  /** Returns what it needs, undefined when the record is done. */
  #one(record: Received, made: KeyDecisions): Needs | undefined {
    const { command, position } = record;
    const { aggregate } = made;
    const own = this.#foldUpTo(record, aggregate) ?? pastEvent(record, aggregate);
    if (own !== undefined) this.#emit(own, command, made); // redelivered: whoever stored it may have died before telling
    const known = this.#known.get(command.commandId);
    if (known !== undefined && position.at - known.at < RECEIPT_LIFE_MS) {
      if (own !== undefined && known.fingerprint === undefined) {
        keepReceipt(record, made, own.event.sequence, known.outcome); // whoever stored it died between events and receipts
        this.#know(command, { ...known, fingerprint: command.fingerprint });
      }
      reply(record, made.answers, known);
      return undefined;
    }
    if (own !== undefined || isPassed(position, aggregate.head.position)) return undefined;
    const at = decisionTime(aggregate.head, position);
    const decision = this.#decider.decide(aggregate.state, command, aggregate.head, at, this.#evidence);
    if (decision.kind === 'needs') return decision;
    this.#fresh(record, made, decision);
    return undefined;
  }

  /** B2. Returns the record's own event when the tail holds it. */
  #foldUpTo({ command, position }: Received, aggregate: Aggregate): StoredEvent | undefined {
    for (let next = aggregate.tail[0]; next !== undefined; next = aggregate.tail[0]) {
      const isPast = isPassed(position, next.position);
      const isOwn = isPast && next.event.commandId === command.commandId;
      if (isPast && !isOwn) return undefined;
      aggregate.tail.shift();
      apply(aggregate, this.#decider, next);
      const { commandId } = next.event;
      const outcome = this.#decider.answer(next.event, aggregate.state);
      if (outcome.kind !== 'deferred' && !this.#known.has(commandId))
        this.#known.set(commandId, { outcome, fingerprint: undefined, offset: next.position.offset, at: next.position.at });
      if (isOwn) return next;
    }
    return undefined;
  }

  #fresh(record: Received, made: KeyDecisions, decision: Exclude<Decision, { kind: 'needs' }>): void {
    const { command, position } = record;
    const { aggregate } = made;
    if (decision.kind === 'nothing' || (decision.kind === 'event' && aggregate.tail.length > 0)) return; // B3
    let outcome: Outcome | { kind: 'deferred' };
    let sequence: number | null = null;
    if (decision.kind === 'event') {
      const previous = aggregate.state === undefined ? null : this.#decider.lookup(aggregate.state).status;
      const stored = nextEvent(aggregate.head, previous, command, decision.event, position);
      apply(aggregate, this.#decider, stored);
      made.stored.push(stored);
      this.#emit(stored, command, made);
      outcome = this.#decider.answer(stored.event, aggregate.state);
      sequence = stored.event.sequence;
    } else outcome = decision.outcome;
    const { commandId, fingerprint, replyTo, answersTo = commandId } = command;
    if (outcome.kind === 'deferred') return; // a follow-up answers
    if (command.type === 'HeartbeatExecution' && outcome.kind === 'accepted') made.heardAt = position.at;
    this.#know(command, { outcome, fingerprint, offset: position.offset, at: position.at });
    made.decided.push(commandId, answersTo);
    keepReceipt(record, made, sequence, outcome);
    if (replyTo !== undefined) made.answers.push({ replyTo, answer: { commandId: answersTo, outcome, replayed: false } });
  }

  /** Twins of the command, and of the one whose answer it gives, get this outcome (B1). */
  #know({ commandId, answersTo = commandId }: Command, known: Known): void {
    this.#known.set(commandId, known);
    this.#known.set(answersTo, known);
  }

  #emit(stored: StoredEvent, command: Command, made: KeyDecisions): void {
    made.emitted.push(stored);
    made.followUps.push(...this.#decider.react(stored.event, command));
  }
}

/** The event that a record led to when the snapshot had already passed it. */
function pastEvent({ command, position }: Received, { past }: Aggregate): StoredEvent | undefined {
  const event = past.get(command.commandId);
  return event !== undefined && isPassed(position, event.position) ? event : undefined;
}

/** Only commands from a door leave a receipt; nobody sends the others again under the same id a day later. */
function keepReceipt({ command, key, position }: Received, made: KeyDecisions, sequence: number | null, outcome: Outcome): void {
  const { tenantId, actor, type, fingerprint, answersTo: commandId = command.commandId } = command;
  if (fingerprint === undefined) return;
  made.receipts.push({ commandId, tenantId, actorId: actor.id, key, type, sequence, fingerprint, outcome, position });
}
