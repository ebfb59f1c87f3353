import type { Command } from '@retrigger/domain/command.ts';
import { isPassed, type StoredEvent } from '@retrigger/domain/event.ts';
import { differingFields, type Fingerprint } from '@retrigger/domain/idempotency.ts';
import { decisionTime, nextEvent } from '@retrigger/domain/next-event.ts';
import { type Outcome, refused } from '@retrigger/domain/refusal.ts';
import type { Answer } from '@retrigger/ports/answers.ts';
import { RECEIPT_LIFE_MS, type Receipt } from '@retrigger/ports/receipt-store.ts';
import { type Aggregate, type AnyDecider, apply, type Received } from './aggregate.ts';

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
};

/** Commands whose outcome is known already: from receipts, from earlier records of the batch. */
type Known = { outcome: Outcome; fingerprint: Fingerprint | undefined; offset: number; at: number };

/**
 * Step 3: decides a batch's records in log order, in memory.
 * B1: a command is decided once: not again when it has a receipt, stood earlier in the batch, has its event in the tail, or was passed by the snapshot.
 * B2: a record is decided on the state that stood before it: stored events of earlier records are folded first, those of later ones wait.
 * B3: when events of later records are stored already, this record led to none, and none is made for it now.
 */
export class BatchDecider {
  readonly #known = new Map<string, Known>();
  readonly #decider: AnyDecider;

  constructor(decider: AnyDecider) {
    this.#decider = decider;
  }

  decide(received: Received[], aggregates: Map<string, Aggregate>, receipts: Map<string, Receipt>): Map<string, KeyDecisions> {
    for (const [commandId, { outcome, fingerprint, position }] of receipts) {
      this.#known.set(commandId, { outcome, fingerprint, offset: position.offset, at: position.at });
    }
    const decisions = new Map<string, KeyDecisions>();
    for (const record of received) {
      let made = decisions.get(record.key);
      if (made === undefined) {
        const aggregate = aggregates.get(record.key);
        if (aggregate === undefined) throw new Error(`${record.key} was not loaded`);
        made = { aggregate, stored: [], emitted: [], followUps: [], receipts: [], answers: [], decided: [] };
        decisions.set(record.key, made);
      }
      this.#one(record, made);
    }
    for (const { aggregate } of decisions.values())
      for (let next = aggregate.tail.shift(); next; next = aggregate.tail.shift()) apply(aggregate, this.#decider, next);
    return decisions;
  }

  /** Takes back what a key's decisions made known, before they are made again on what is stored now. */
  forget({ decided }: KeyDecisions): void {
    for (const commandId of decided) this.#known.delete(commandId);
  }

  #one(record: Received, made: KeyDecisions): void {
    const { command, position } = record;
    const { aggregate } = made;
    const own = this.#foldUpTo(record, aggregate) ?? pastEvent(record, aggregate);
    if (own !== undefined) this.#emit(own, made); // redelivered: whoever stored it may have died before telling
    const known = this.#known.get(command.commandId);
    if (known !== undefined && position.at - known.at < RECEIPT_LIFE_MS) {
      if (own !== undefined && known.fingerprint === undefined) keepReceipt(record, made, own.event.sequence, known.outcome); // died between events and receipts
      reply(record, made, known);
      return;
    }
    if (own !== undefined || isPassed(position, aggregate.head.position)) return;
    this.#fresh(record, made);
  }

  /** B2. Returns the record's own event when the tail holds it. */
  #foldUpTo({ command, position }: Received, aggregate: Aggregate): StoredEvent | undefined {
    for (let next = aggregate.tail[0]; next !== undefined; next = aggregate.tail[0]) {
      const isPast = isPassed(position, next.position);
      const isOwn = isPast && next.event.commandId === command.commandId;
      if (isPast && !isOwn) return undefined;
      aggregate.tail.shift();
      apply(aggregate, this.#decider, next);
      const outcome = this.#decider.answer(next.event, aggregate.state);
      if (!this.#known.has(next.event.commandId))
        this.#known.set(next.event.commandId, { outcome, fingerprint: undefined, offset: next.position.offset, at: next.position.at });
      if (isOwn) return next;
    }
    return undefined;
  }

  #fresh({ command, position }: Received, made: KeyDecisions): void {
    const { aggregate } = made;
    const decision = this.#decider.decide(aggregate.state, command, aggregate.head, decisionTime(aggregate.head, position));
    if (decision.kind === 'nothing' || (decision.kind === 'event' && aggregate.tail.length > 0)) return; // B3
    let outcome: Outcome;
    let sequence: number | null = null;
    if (decision.kind === 'event') {
      const previous = aggregate.state === undefined ? null : this.#decider.lookup(aggregate.state).status;
      const stored = nextEvent(aggregate.head, previous, command, decision.event, position);
      apply(aggregate, this.#decider, stored);
      made.stored.push(stored);
      this.#emit(stored, made);
      outcome = this.#decider.answer(stored.event, aggregate.state);
      sequence = stored.event.sequence;
    } else outcome = decision.outcome;
    this.#known.set(command.commandId, { outcome, fingerprint: command.fingerprint, offset: position.offset, at: position.at });
    made.decided.push(command.commandId);
    keepReceipt({ command, key: aggregate.key, position }, made, sequence, outcome);
    if (command.replyTo !== undefined)
      made.answers.push({ replyTo: command.replyTo, answer: { commandId: command.commandId, outcome, replayed: false } });
  }

  #emit(stored: StoredEvent, made: KeyDecisions): void {
    made.emitted.push(stored);
    made.followUps.push(...this.#decider.react(stored.event));
  }
}

/** The event that a record led to when the snapshot had already passed it. */
function pastEvent({ command, position }: Received, { past }: Aggregate): StoredEvent | undefined {
  const event = past.get(command.commandId);
  return event !== undefined && isPassed(position, event.position) ? event : undefined;
}

/** The first answer again, or a refusal when the request is another one. A record that is delivered again is no replay: its caller has had no answer. */
function reply({ command, position }: Received, made: KeyDecisions, known: Known): void {
  const { commandId, fingerprint, replyTo } = command;
  if (replyTo === undefined) return;
  const fields = fingerprint === undefined || known.fingerprint === undefined ? [] : differingFields(known.fingerprint, fingerprint);
  if (fields.length === 0) {
    made.answers.push({ replyTo, answer: { commandId, outcome: known.outcome, replayed: known.offset !== position.offset } });
    return;
  }
  const detail = `This idempotency key was used for another request; these fields differ: ${fields.join(', ')}`;
  made.answers.push({ replyTo, answer: { commandId, outcome: refused('idempotency_key_reused', detail, { fields }), replayed: false } });
}

/** Only commands from a door leave a receipt; nobody sends the others again under the same id a day later. */
function keepReceipt({ command, key, position }: Received, made: KeyDecisions, sequence: number | null, outcome: Outcome): void {
  const { commandId, tenantId, actor, type, fingerprint } = command;
  if (fingerprint !== undefined)
    made.receipts.push({ commandId, tenantId, actorId: actor.id, key, type, sequence, fingerprint, outcome, position });
}
