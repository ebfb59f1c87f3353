import { bulkIdOf } from '../identifiers.ts';
import type { TaskResult } from './commands.ts';
import type { BulkEvent } from './events.ts';
import { notFound } from './outcome.ts';
import { type BulkPart, type BulkState, UNDER_WAY } from './state.ts';

/** The state after an event. */
export function evolve(state: BulkState | undefined, event: BulkEvent): BulkState {
  const status = event.newState ?? 'Asking';
  const endedAt = status === 'Ended' ? Date.parse(event.timestamp) : null;
  if (event.eventType === 'BulkStarted') return { ...started(event), status, endedAt };
  if (state === undefined)
    throw new Error(`${event.eventType} ${event.sequence} of ${event.tenantId}/${event.taskId} comes before BulkStarted`);
  const { results, asks = [], settles = [], decision = state.decision, isOverdue = state.isOverdue } = event.metadata;
  const [asked, settling] = [new Set(asks.map(({ taskId }) => taskId)), new Set(settles)];
  const parts = withResults(state.parts, results).map((part): BulkPart => {
    if (asked.has(part.taskId)) return { taskId: part.taskId, at: 'asked' };
    return settling.has(part.taskId) ? { taskId: part.taskId, at: 'settling' } : part;
  });
  return { ...state, status, endedAt, decision, isOverdue, parts };
}

function started({ tenantId, taskId: name, metadata }: BulkEvent & { eventType: 'BulkStarted' }): Omit<BulkState, 'status' | 'endedAt'> {
  const { type, allOrNothing, caller, common = {}, tasks, missing, started, startedAt, underWay = UNDER_WAY } = metadata;
  const absent = new Set(missing);
  let left = underWay;
  const parts = tasks.map((item): BulkPart => {
    const { taskId } = item;
    if (absent.has(taskId)) return { taskId, at: 'refused', error: notFound(taskId) };
    return left-- > 0 ? { taskId, at: 'asked' } : { taskId, at: 'new', item };
  });
  const hasFailed = parts.every(({ at }) => at === 'refused') && parts.length > 0;
  const decision = !allOrNothing || absent.size < tasks.length ? null : hasFailed ? 'release' : 'commit';
  return { tenantId, bulkId: bulkIdOf(name), type, allOrNothing, caller, common, parts, started, startedAt, decision, isOverdue: false };
}

/** The parts after these results, the very same when none of them is news. */
export function withResults(parts: BulkPart[], results: TaskResult[]): BulkPart[] {
  const changed = [...parts];
  const places = new Map(parts.map(({ taskId }, index) => [taskId, index]));
  let isNews = false;
  for (const result of results) {
    const index = places.get(result.taskId);
    const before = index === undefined ? undefined : changed[index];
    if (index === undefined || before === undefined || !isNext(before.at, result.kind)) continue;
    const { kind, ...said } = result;
    changed[index] = { ...said, at: kind };
    isNews = true;
  }
  return isNews ? changed : parts;
}

/** Whether a task that stands at `at` can say this now: a step back, or the same again, is old news. */
const isNext = (at: BulkPart['at'], said: TaskResult['kind']): boolean =>
  at === 'asked' || ((at === 'reserved' || at === 'settling') && said !== 'reserved');
