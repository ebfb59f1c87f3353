import type { Command } from '@retrigger/domain/command.ts';
import type { Decision } from '@retrigger/domain/decider.ts';
import { type Event, isPassed, type StoredEvent } from '@retrigger/domain/event.ts';
import { decisionTime, headAfter, nextEvent } from '@retrigger/domain/next-event.ts';
import { isKept, type Outcome } from '@retrigger/domain/refusal.ts';
import type { Receipt } from '@retrigger/ports/receipt-store.ts';
import { type Aggregate, type AnyDecider, apply, type Received } from './aggregate.ts';
import { fitsTopic } from './emit.ts';
import { type ConcludedRecord, type KeyDecisions, keepReceipt, nothingMade } from './key-decisions.ts';
import { KnownOutcomes } from './known-outcomes.ts';
import { reply } from './reply.ts';

export type Needs = Decision & { kind: 'needs' };
const NO_NEEDS: Needs = { kind: 'needs', keys: [] };

/** What is needed of other aggregates to go on with `open`, the records that are not decided yet. */
export type Progress = { needs: Needs[]; open: Received[] };

/** An event that a record had led to before, and its outcome when it could be worked out. */
type Own = { stored: StoredEvent; outcome?: Outcome | { kind: 'deferred' } };

/**
 * Step 3: decides a batch's records in log order, in memory.
 * B1: a command is decided once: not again when it has a receipt, stood earlier in the batch, has its event in the tail, or was passed by the snapshot.
 * B2: a record is decided on the state that stood before it: stored events of earlier records are folded first, those of later ones wait.
 * B3: when events of later records are stored already, this record led to none, and none is made for it now.
 * B4: a record that needs other aggregates' states holds back the later records of its own aggregate, nobody else's.
 * B1b: an outcome is that of every command it answers, and binds their repeats, unless it is one that is not kept: then a repeat is decided anew.
 * B8: what was claimed under a name first, by its receipt, is all that is ever claimed under it: a try that comes after that receipt, on whatever task, gets its
 * outcome and makes no event. Tries on several partitions that don't see each other's receipt may each start an execution: the receipt names the one that is
 * handed out (M5), and nobody hears of the others, which fail by their silence. B9: nothing is told of what is not stored, so a try that meets one of its own
 * batch is decided when that one is stored.
 * B10: a record may leave several receipts, and whoever kept the one may have died before the others: while its event is still in the tail they are kept again.
 * B11: an event may answer another command than the one it was decided on, as a bulk's last one answers its caller: answer and receipt are that one's.
 * B5: a Wake is decided with what this owner has heard of the executor up to now, not only with what its sender knew.
 * B6: an event between two records whose own record is not in the batch is another owner's, who decided on what this one has not seen and may have died before
 * telling: it is told here. It leads to no follow-up: those that do are decided alike by everybody, with their own records.
 * B7: a record that can't be decided (a bug, a stored event of a later version, an event that no topic takes) costs itself, not its partition. Only pure code
 * runs here, so no broken machine is mistaken for that.
 */
export class BatchDecider {
  readonly decisions = new Map<string, KeyDecisions>();
  readonly #known = new KnownOutcomes();
  /** B9. */
  #echoes: Received[] = [];
  /** What was read of other aggregates. */
  readonly evidence = new Map<string, unknown>();
  readonly #decider: AnyDecider;
  readonly #silentSince: (key: string, at: number) => number;
  readonly #notBefore: number;

  /** `notBefore`: no event is older (epoch ms; see housekeeping.ts, T2). */
  constructor(decider: AnyDecider, silentSince: (key: string, at: number) => number, notBefore = 0) {
    this.#decider = decider;
    this.#silentSince = silentSince;
    this.#notBefore = notBefore;
  }

  load(aggregates: Map<string, Aggregate>, receipts: Map<string, Receipt>): void {
    for (const [key, aggregate] of aggregates) {
      this.decisions.set(key, nothingMade(aggregate));
    }
    this.#known.load(receipts);
  }

  decide(received: Received[]): Progress {
    const needs: Needs[] = [];
    const open: Received[] = [];
    const held = new Set<string>();
    for (const record of received) {
      const missing = held.has(record.key) ? NO_NEEDS : this.#one(record, this.#made(record.key));
      if (missing === undefined) continue;
      if (missing !== NO_NEEDS) needs.push(missing);
      held.add(record.key); // B4
      open.push(record);
    }
    return { needs, open };
  }

  /** Takes back what a key's decisions made known, before they are made again on what is stored now. */
  forget(key: string): void {
    this.#echoes = this.#echoes.filter((record) => record.key !== key);
    this.#known.forget(this.#made(key).decided);
    this.decisions.delete(key);
  }

  /** All that was decided is stored: returns what waited for that (B9). */
  settle(): Received[] {
    const echoes = this.#echoes;
    this.#echoes = [];
    this.#known.settle();
    return echoes;
  }

  #made(key: string): KeyDecisions {
    const made = this.decisions.get(key);
    if (made === undefined) throw new Error(`${key} was not loaded`);
    return made;
  }

  /** Returns what it needs, undefined when the record is done. */
  #one(record: Received, made: KeyDecisions): Needs | undefined {
    try {
      return this.#decide(record, made);
    } catch (error) {
      made.undecidable.set(record.position.offset, error instanceof Error ? error.message : String(error)); // B7
      return undefined;
    }
  }

  #decide(record: Received, made: KeyDecisions): Needs | undefined {
    const { command, position } = record;
    const { aggregate } = made;
    if (command.type === 'Wake') made.wokenAt = position.at;
    const own = this.#foldUpTo(record, made) ?? pastEvent(record, aggregate);
    if (own !== undefined) this.#emit(own.stored, command, made); // redelivered: whoever stored it may have died before telling
    const known = this.#known.at(command.commandId, position.at);
    if (known !== undefined) {
      if (own?.outcome !== undefined) this.#keep(this.#concluded(record, own.stored.event), made, own.outcome, own.stored.event); // B10
      this.#hear(record, made, known.outcome);
      reply(record, made.answers, known);
      return undefined;
    }
    if (own?.outcome !== undefined) this.#conclude(this.#concluded(record, own.stored.event), made, own.outcome, own.stored.event); // whoever stored it died between events and receipts
    if (own !== undefined || isPassed(position, aggregate.head.position)) {
      const first =
        command.answersTo === undefined || own?.outcome !== undefined ? undefined : this.#known.at(command.answersTo, position.at);
      if (first !== undefined) reply(record, made.answers, first);
      return undefined;
    }
    const claimed = command.type === 'ClaimExecution' ? this.#known.at(command.body.claim, position.at) : undefined;
    if (command.type === 'ClaimExecution' && claimed !== undefined) {
      if (this.#known.isOpen(command.body.claim))
        this.#echoes.push(record); // B9
      else this.#conclude(record, made, claimed.outcome, null); // B8
      return undefined;
    }
    const at = decisionTime(aggregate.head, position, this.#notBefore);
    const decision = this.#decider.decide(aggregate.state, this.#informed(command, made, at), aggregate.head, at, this.evidence);
    if (decision.kind === 'needs') return decision;
    if (command.type === 'Wake' && decision.kind === 'nothing') made.isOutdated ||= this.#isAnother(command.body.wakeAt, aggregate.state);
    this.#fresh(record, made, decision);
    return undefined;
  }

  #isAnother(wakeAt: number, state: unknown): boolean {
    return state !== undefined && this.#decider.lookup(state).wakeAt !== wakeAt;
  }

  /** B5. */
  #informed(command: Command, { aggregate, heardAt }: KeyDecisions, at: number): Command {
    if (command.type !== 'Wake') return command;
    const { wakeAt, silentSince } = command.body;
    const since = Math.max(silentSince ?? 0, heardAt ?? 0, this.#silentSince(aggregate.key, at));
    return since === 0 ? command : { ...command, body: { wakeAt, silentSince: since } };
  }

  /** B2, B6. Returns the record's own event when the tail holds it. */
  #foldUpTo({ command, position }: Received, { aggregate, emitted }: KeyDecisions): Own | undefined {
    for (let next = aggregate.tail[0]; next !== undefined; next = aggregate.tail[0]) {
      const isPast = isPassed(position, next.position);
      const isOwn = isPast && next.position.offset === position.offset && next.event.commandId === command.commandId;
      if (isPast && !isOwn) return undefined;
      apply(aggregate, this.#decider, next);
      aggregate.tail.shift();
      const outcome = this.#decider.answer(next.event, aggregate.state);
      if (isOwn) return { stored: next, outcome };
      emitted.push(next); // B6
      if (outcome.kind === 'deferred' || !isKept(outcome)) continue;
      const { offset, at } = next.position;
      this.#known.learn(this.#decider.commandsOf(next.event), { outcome, fingerprint: undefined, offset, at }); // B1b
    }
    return undefined;
  }

  #fresh(record: Received, made: KeyDecisions, decision: Exclude<Decision, { kind: 'needs' }>): void {
    const { command, position } = record;
    const { aggregate } = made;
    if (decision.kind === 'nothing' || (decision.kind === 'event' && aggregate.tail.length > 0)) return; // B3
    if (decision.kind === 'tells') made.followUps.push(...decision.commands);
    if (decision.kind === 'answered') this.#conclude(record, made, decision.outcome, null);
    if (decision.kind !== 'event') return;
    const previous = aggregate.state === undefined ? null : this.#decider.lookup(aggregate.state).status;
    const stored = nextEvent(aggregate.head, previous, command, decision.event, position, this.#notBefore);
    if (this.#decider.isTold(stored.event) && !fitsTopic(stored)) throw new Error('its event would be larger than a topic takes'); // B7
    const state = this.#decider.evolve(aggregate.state, stored.event);
    const outcome = this.#decider.answer(stored.event, state);
    if (state !== undefined) this.#decider.lookup(state);
    this.#emit(stored, command, made); // B7: from here on nothing can throw
    aggregate.state = state;
    aggregate.head = headAfter(stored);
    made.stored.push(stored);
    this.#conclude(this.#concluded(record, stored.event), made, outcome, stored.event);
    if (command.type === 'ClaimExecution') this.#known.claimed(command.body.claim);
  }

  /** B11. */
  #concluded(record: Received, event: Event): ConcludedRecord {
    const command = this.#decider.concludes(event);
    return command === undefined ? record : { ...record, command };
  }

  /** The outcome of a record that has had none before. */
  #conclude(record: ConcludedRecord, made: KeyDecisions, outcome: Outcome | { kind: 'deferred' }, event: Event | null): void {
    if (outcome.kind === 'deferred') return; // a follow-up answers
    const { commandId, replyTo, answersTo = commandId } = record.command;
    this.#hear(record, made, outcome);
    this.#keep(record, made, outcome, event);
    if (replyTo !== undefined) made.answers.push({ replyTo, answer: { commandId: answersTo, outcome, replayed: false } });
  }

  #keep(record: ConcludedRecord, made: KeyDecisions, outcome: Outcome | { kind: 'deferred' }, event: Event | null): void {
    const { command, position } = record;
    const { commandId, fingerprint, answersTo = commandId } = command;
    if (outcome.kind === 'deferred') return;
    const names = new Set([commandId, answersTo, ...(event === null ? [] : this.#decider.commandsOf(event))]);
    if (isKept(outcome)) made.decided.push(...this.#known.learn(names, { outcome, fingerprint, offset: position.offset, at: position.at })); // B1b
    for (const name of names)
      if (name === answersTo || name !== commandId) keepReceipt(record, made, name, event?.sequence ?? null, outcome);
  }

  #hear({ command, position }: ConcludedRecord, made: KeyDecisions, outcome: Outcome): void {
    if (command.type === 'HeartbeatExecution' && outcome.kind === 'accepted') made.heardAt = position.at;
  }

  #emit(stored: StoredEvent, command: Command, made: KeyDecisions): void {
    made.followUps.push(...this.#decider.react(stored.event, command));
    made.emitted.push(stored);
  }
}

/** The event that a record led to when the snapshot had already passed it. */
function pastEvent({ command, position }: Received, { past }: Aggregate): Own | undefined {
  const stored = past.get(position.offset);
  return stored?.event.commandId === command.commandId && isPassed(position, stored.position) ? { stored } : undefined;
}
