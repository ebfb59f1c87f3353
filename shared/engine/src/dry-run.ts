import type { Command } from '@retrigger/domain/command.ts';
import type { Decision } from '@retrigger/domain/decider.ts';
import { EMPTY_HEAD, type Event } from '@retrigger/domain/event.ts';
import { taskKey } from '@retrigger/domain/identifiers.ts';
import type { JsonObject } from '@retrigger/domain/json.ts';
import { decisionTime, nextEvent } from '@retrigger/domain/next-event.ts';
import type { Outcome, Refusal } from '@retrigger/domain/refusal.ts';
import { type Aggregate, type AnyDecider, aggregateAt, apply } from './aggregate.ts';
import { type EvidenceStore, gatherEvidence } from './gather-evidence.ts';

/** What would come of a command: `events` are those that would be stored. */
export type DryRun = { verdict: Outcome['kind']; answer?: JsonObject; refusal?: Refusal; events: Event[] };

/**
 * Decides a command at `at` (epoch ms) as a worker would, on what is stored now, and keeps nothing.
 * Q1: it is the same `decide`, fed the same way, so on the same state the real one comes to the same. A decision that takes two steps is followed to its second
 * on a copy. What it would lead to in other tasks, and later, is not played.
 */
export async function dryRun(ports: { snapshots: EvidenceStore }, decider: AnyDecider, command: Command, at: number): Promise<DryRun> {
  const key = taskKey(command.tenantId, command.taskId);
  const snapshot = (await ports.snapshots.load([key])).get(key);
  const aggregate = aggregateAt(key, snapshot?.head ?? EMPTY_HEAD, snapshot?.state);
  const events: Event[] = [];
  for (let next: Command | undefined = command; next !== undefined; ) {
    const { outcome, event } = await decideOnce(ports.snapshots, decider, aggregate, next, at);
    if (event !== undefined) events.push(event);
    if (outcome.kind === 'accepted') return { verdict: outcome.kind, answer: outcome.answer, events };
    if (outcome.kind === 'refused') return { verdict: outcome.kind, refusal: outcome.refusal, events };
    const asked: Command = next;
    next = event && decider.react(event, asked).find(({ answersTo }) => answersTo === command.commandId);
  }
  return { verdict: 'accepted', events };
}

/** Adds the event, if any, to the aggregate. `deferred`: a follow-up has the outcome, or there is none. */
async function decideOnce(
  snapshots: EvidenceStore,
  decider: AnyDecider,
  aggregate: Aggregate,
  command: Command,
  at: number,
): Promise<{ outcome: Outcome | { kind: 'deferred' }; event?: Event }> {
  const position = { partition: 0, offset: 0, at };
  const { head, state } = aggregate;
  const evidence = new Map<string, unknown>();
  const ask = (): Decision => decider.decide(state, command, head, decisionTime(head, position), evidence);
  let decision = ask();
  for (; decision.kind === 'needs'; decision = ask()) await gatherEvidence(snapshots, evidence, [decision]);
  if (decision.kind === 'answered') return { outcome: decision.outcome };
  if (decision.kind === 'nothing' || decision.kind === 'tells') return { outcome: { kind: 'deferred' } };
  const previous = state === undefined ? null : decider.lookup(state).status;
  const stored = nextEvent(head, previous, command, decision.event, position);
  apply(aggregate, decider, stored);
  return { outcome: decider.answer(stored.event, aggregate.state), event: stored.event };
}
