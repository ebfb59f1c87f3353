import { singleOf } from '@retrigger/domain/bulk/ask.ts';
import { itemsOf } from '@retrigger/domain/bulk/decide.ts';
import { itemError, outcomeOf } from '@retrigger/domain/bulk/outcome.ts';
import type { BulkPart } from '@retrigger/domain/bulk/state.ts';
import type { Command } from '@retrigger/domain/command.ts';
import { EMPTY_HEAD, type Event } from '@retrigger/domain/event.ts';
import type { Refusal } from '@retrigger/domain/refusal.ts';
import type { AnyDecider } from './aggregate.ts';
import { type DryRun, dryRun } from './dry-run.ts';
import type { EvidenceStore } from './gather-evidence.ts';

/**
 * What would come of a bulk at `at` (epoch ms): what would come of each of its tasks, one by one, and nothing is kept (Q1). Of all or nothing the events are
 * those of its tasks if all would be accepted; its reservations are not played.
 */
export async function dryRunBulk(
  ports: { snapshots: EvidenceStore },
  decider: AnyDecider,
  command: Command & { type: 'BulkTrigger' | 'BulkReschedule' },
  at: number,
): Promise<DryRun> {
  const refusal = refusalOf(decider, command, at);
  if (refusal !== undefined) return { verdict: 'refused', refusal, events: [] };
  const { type, body, ...header } = command;
  const { tasks: _t, filter: _f, allOrNothing = false, ...common } = body;
  const parts: BulkPart[] = [];
  const events: Event[] = [];
  for (const item of itemsOf(body)) {
    const { taskId } = item;
    const dry = await dryRun(ports, decider, { ...header, taskId, ...singleOf(type, item, common) }, at);
    parts.push(partOf(taskId, dry));
    events.push(...dry.events);
  }
  const isAborted = allOrNothing && parts.some((part) => part.at === 'refused');
  const outcome = outcomeOf({ parts, decision: isAborted ? 'release' : null, isOverdue: false });
  const told = isAborted ? events.filter(({ eventType }) => eventType === 'CommandRefused') : events;
  return outcome.kind === 'accepted'
    ? { verdict: 'accepted', answer: outcome.answer, events: told }
    : { verdict: 'refused', refusal: outcome.refusal, events: told };
}

/** Why no task of it is even asked: its caller's roles do not permit it. */
function refusalOf(decider: AnyDecider, command: Command, at: number): Refusal | undefined {
  const decision = decider.decide(undefined, command, EMPTY_HEAD, at, new Map());
  return decision.kind === 'answered' && decision.outcome.kind === 'refused' ? decision.outcome.refusal : undefined;
}

function partOf(taskId: string, { verdict, answer = {}, refusal }: DryRun): BulkPart {
  if (verdict === 'refused' && refusal !== undefined) return { taskId, at: 'refused', error: itemError(refusal) };
  const { executionId, nextExecution } = answer;
  return {
    ...{ taskId, at: 'accepted' },
    ...(typeof executionId === 'string' ? { executionId } : {}),
    ...(typeof nextExecution === 'string' ? { nextExecution } : {}),
  };
}
