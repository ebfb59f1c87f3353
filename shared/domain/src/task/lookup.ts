import { chance } from '../chance.ts';
import { namedTasks } from '../conditions.ts';
import type { Lookup, WakeKind } from '../decider.ts';
import { claimableExecution } from './claim.ts';
import { deadlineAt, HEARTBEAT_TIMEOUT } from './decide-report.ts';
import { ms } from './execution.ts';
import type { TaskState } from './state.ts';

/** A net under the announcements, for what they can't reach: what joined a closure while nobody of it was watched, and a store whose readers may see an old state. */
const LOOK_AGAIN_MS = 60_000;

/** What others look for in a task. The earliest of its due times is the one that counts (U2). */
export function lookup(state: TaskState): Lookup {
  const times = dueTimes(state);
  const wake = earliest(times);
  const claimable = claimableExecution(state);
  return {
    status: state.status,
    type: state.type,
    wakeAt: wake?.[0] ?? null,
    wakeKind: wake?.[1] ?? 'due',
    dueAt: earliest(times.filter(([, kind]) => kind !== 'heartbeat'))?.[0] ?? null,
    waitsFor: [...new Set([...state.waitsFor, ...state.dependencies, ...named(state)])],
    claimableSince: claimable === null ? null : Date.parse(claimable.triggeredAt),
  };
}

const named = ({ lastConditional }: TaskState): string[] =>
  lastConditional?.strategy === 'conditional' ? namedTasks(lastConditional.conditions) : [];

const earliest = (times: [number, WakeKind][]): [number, WakeKind] | null =>
  times.reduce<[number, WakeKind] | null>((first, next) => (first === null || next[0] < first[0] ? next : first), null);

function dueTimes(state: TaskState): [number, WakeKind][] {
  const due: [number, WakeKind][] = [];
  const { execution, pendingRetry, nextExecution, schedule } = state;
  if (nextExecution !== null) due.push([Date.parse(nextExecution), 'due']);
  if (pendingRetry !== null) due.push([Date.parse(pendingRetry.at), 'due']);
  if (execution !== null) {
    const deadline = deadlineAt(state, execution);
    if (deadline !== null) due.push([deadline, 'due']);
    if (execution.startedAt !== null) due.push([Date.parse(execution.startedAt) + ms(HEARTBEAT_TIMEOUT), 'heartbeat']);
  } else if (state.status === 'Scheduled' && schedule?.strategy === 'conditional') {
    const spread = 1 + chance('look', state.tenantId, state.taskId) / 4;
    due.push([Date.parse(state.updatedAt) + Math.ceil(LOOK_AGAIN_MS * spread), 'check']);
  }
  return due;
}
