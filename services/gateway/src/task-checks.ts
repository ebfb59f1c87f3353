import type { FieldError } from '@retrigger/contract/problem-codes.ts';
import { literalTargetRefusal } from '@retrigger/delivery/private-address.ts';
import type { Conditions } from '@retrigger/domain/conditions.ts';
import { taskKey } from '@retrigger/domain/identifiers.ts';
import { nextExecution, type Schedule } from '@retrigger/domain/schedule.ts';
import type { TaskState } from '@retrigger/domain/task/state.ts';
import type { Snapshot } from '@retrigger/ports/snapshot-store.ts';
import type { Work } from './command-table.ts';
import type { Caller } from './credentials.ts';
import type { GatewayDeps } from './deps.ts';
import type { Problem } from './problem.ts';
import { invalidFields } from './query.ts';

/** A task that a request names, and where; `looksInside`: it asks for a part of its result. */
type Named = { path: string; taskId: string; looksInside?: true };

const NONE: ReadonlyMap<string, Snapshot> = new Map();

export type CheckPorts = Pick<GatewayDeps, 'snapshots' | 'clock' | 'config'>;

/**
 * What only the door can say of a task's body: that its target may be called, that its schedule is possible from now on, and that every task it names exists.
 * V3: nobody waits for what a sensitive task leads to: its result is sealed, and a condition would show it to whoever guesses.
 * V1: a request that names the task itself is a cycle of one, and is refused like any other cycle. V2: what is wrong is told field by field.
 */
export async function checkTask({ tenantId }: Caller, work: Work, { snapshots, clock, config }: CheckPorts): Promise<Problem | undefined> {
  const { target, schedule, names } = partsOf(work);
  const errors: FieldError[] = [];
  const unreachable = target == null ? undefined : literalTargetRefusal(target.url, config.allowPrivateTargets);
  if (unreachable !== undefined) errors.push({ path: 'target.url', message: unreachable });
  if (schedule !== undefined) errors.push(...impossible(schedule.schedule, schedule.path, clock.now()));
  const known = names.length === 0 ? NONE : await snapshots.load([...new Set(names.map(({ taskId }) => taskKey(tenantId, taskId)))]);
  for (const { path, taskId, looksInside } of names) {
    const snapshot = known.get(taskKey(tenantId, taskId));
    if (taskId !== work.taskId && snapshot === undefined) errors.push({ path, message: `names ${taskId}, which does not exist` });
    else if (looksInside && (snapshot?.state as TaskState | undefined)?.sensitive)
      errors.push({
        path: path.replace(/taskId$/, 'result'),
        message: `asks for the result of ${taskId}, which is sensitive: it is sealed`,
      });
  }
  if (errors.length > 0) return invalidFields(errors);
  const own = names.filter(({ taskId }) => taskId === work.taskId).map(({ path }) => ({ path, message: 'names the task itself' }));
  if (own.length === 0) return undefined;
  const detail = `Task ${work.taskId} would wait for itself`;
  return { code: 'circular_dependency', detail, errors: own, more: { cycle: [work.taskId, work.taskId] } }; // V1
}

type Parts = { target?: { url: string } | null; schedule?: { schedule: Schedule; path: string }; names: Named[] };

function partsOf(work: Work): Parts {
  switch (work.type) {
    case 'CreateTask': {
      const { target, dependencies = [], schedule } = work.body;
      const names = [...listed('dependencies', dependencies), ...(schedule === undefined ? [] : waitedFor('schedule.', schedule))];
      return { ...(target && { target }), ...(schedule && { schedule: { schedule, path: 'schedule.' } }), names };
    }
    case 'ChangeTask': {
      const { target, dependencies = [] } = work.body;
      return { ...(target && { target }), names: listed('dependencies', dependencies) };
    }
    case 'TriggerTask':
      return { names: work.body.conditions === undefined ? [] : inConditions('', work.body.conditions) };
    case 'RescheduleTask': {
      const { schedule } = work.body;
      return { schedule: { schedule, path: '' }, names: waitedFor('', schedule) };
    }
    default:
      return { names: [] };
  }
}

const listed = (path: string, taskIds: readonly string[]): Named[] => taskIds.map((taskId, i) => ({ path: `${path}[${i}]`, taskId }));

const waitedFor = (prefix: string, schedule: Schedule): Named[] =>
  schedule.strategy === 'conditional' ? inConditions(prefix, schedule.conditions) : [];

function inConditions(prefix: string, { dependenciesComplete, dependenciesCompleted, outcome }: Conditions): Named[] {
  const at = `${prefix}conditions`;
  return [
    ...(Array.isArray(dependenciesComplete) ? listed(`${at}.dependenciesComplete`, dependenciesComplete) : []),
    ...(Array.isArray(dependenciesCompleted) ? listed(`${at}.dependenciesCompleted`, dependenciesCompleted) : []),
    ...(outcome === undefined
      ? []
      : [
          { path: `${at}.outcome.taskId`, taskId: outcome.taskId, ...(outcome.result === undefined ? {} : { looksInside: true as const }) },
        ]),
  ];
}

/** What is wrong with a schedule at `now`: in the past, too far ahead, no time zone, a cron expression that never fires. */
function impossible(schedule: Schedule, prefix: string, now: number): FieldError[] {
  const next = nextExecution(schedule, now, { retryCount: 0, commandId: 'door' });
  return next.kind === 'refused' ? [{ path: `${prefix}${next.field}`, message: next.message }] : [];
}

/** Whether a schedule is due as soon as it is accepted, whatever its jitter: such a reschedule is charged like a trigger. */
export function isDueAtOnce(schedule: Schedule, now: number): boolean {
  const latest: Schedule = schedule.strategy === 'exponential_backoff' ? { ...schedule, jitter: 'none' } : schedule;
  const next = nextExecution(latest, now, { retryCount: 0, commandId: 'door' });
  return next.kind === 'at' && next.at <= now;
}
