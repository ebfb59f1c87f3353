import type { Command } from '@retrigger/domain/command.ts';
import { EMPTY_HEAD, type Event } from '@retrigger/domain/event.ts';
import { taskKey } from '@retrigger/domain/identifiers.ts';
import type { JsonObject } from '@retrigger/domain/json.ts';
import { nextEvent } from '@retrigger/domain/next-event.ts';
import type { Refusal } from '@retrigger/domain/refusal.ts';
import type { AnyDecider } from '@retrigger/engine/aggregate.ts';
import type { SnapshotStore } from '@retrigger/ports/snapshot-store.ts';

export async function dryRun(
  { snapshots }: { snapshots: Pick<SnapshotStore, 'load' | 'waiting'> },
  decider: AnyDecider,
  command: Command,
  now: number,
): Promise<{ verdict: 'accepted' | 'refused'; answer?: JsonObject; refusal?: Refusal; events: Event[] }> {
  const key = taskKey(command.tenantId, command.taskId);
  const snapshot = (await snapshots.load([key])).get(key);
  const head = snapshot?.head ?? EMPTY_HEAD;
  const at = Math.max(now, head.at);
  const evidence = new Map<string, unknown>();
  for (;;) {
    const decision = decider.decide(snapshot?.state, command, head, at, evidence);
    if (decision.kind === 'needs') {
      const found = await snapshots.load(decision.keys);
      for (const one of decision.keys) evidence.set(one, found.get(one)?.state);
      continue;
    }
    if (decision.kind === 'nothing') return { verdict: 'accepted', events: [] };
    if (decision.kind === 'answered')
      return decision.outcome.kind === 'accepted'
        ? { verdict: 'accepted', answer: decision.outcome.answer, events: [] }
        : { verdict: 'refused', refusal: decision.outcome.refusal, events: [] };
    const previous = snapshot === undefined ? null : decider.lookup(snapshot.state).status;
    const { event } = nextEvent(head, previous, command, decision.event, { partition: 0, offset: 0, at });
    const outcome = decider.answer(event, decider.evolve(snapshot?.state, event));
    if (outcome.kind === 'refused') return { verdict: 'refused', refusal: outcome.refusal, events: [event] };
    return { verdict: 'accepted', ...(outcome.kind === 'accepted' ? { answer: outcome.answer } : {}), events: [event] };
  }
}
