import type { FieldError } from '@retrigger/contract/problem-codes.ts';
import type { BulkBody, BulkItem } from '@retrigger/domain/bulk/commands.ts';
import { taskKey } from '@retrigger/domain/identifiers.ts';
import type { Ready } from '@retrigger/engine/ready.ts';
import type { Work } from './command-table.ts';
import type { Caller } from './credentials.ts';
import { isProblem } from './exchange.ts';
import type { Problem } from './problem.ts';
import { invalidFields } from './query.ts';
import { selectTasks } from './select-tasks.ts';
import { type CheckPorts, impossible, inConditions, isDueAtOnce, type Named, waitedFor } from './task-checks.ts';

const MOST_ERRORS = 50;

/**
 * Makes a bulk complete, or says what is wrong with it. W1: a filter is applied here and once; from then on the tasks are named. W2: what a single call would
 * be refused at the door for refuses the bulk, and names the item; what a worker would refuse is that item's result. W3: a bulk is charged for the
 * tasks that it triggers, like as many single calls.
 */
export async function checkBulk({ tenantId }: Caller, work: Work, ports: CheckPorts): Promise<Problem | Ready> {
  if (work.type !== 'BulkTrigger' && work.type !== 'BulkReschedule') throw new Error(`${work.type} is no bulk`);
  const { filter, ...rest } = work.body;
  const selected = filter === undefined ? undefined : await selectTasks(ports.snapshots, tenantId, filter);
  if (selected !== undefined && isProblem(selected)) return selected;
  const tasks = selected?.map((taskId): BulkItem => ({ taskId })) ?? rest.tasks;
  const body: BulkBody = { ...work.body, tasks };
  const errors = await wrongIn(tenantId, body, ports);
  if (errors.length > 0) return invalidFields(errors.slice(0, MOST_ERRORS));
  const now = ports.clock.now();
  const triggered =
    work.type === 'BulkTrigger' ? tasks : tasks.filter(({ schedule = body.schedule }) => schedule && isDueAtOnce(schedule, now));
  return { ready: { body, charged: triggered.map(({ taskId }) => taskId) } };
}

async function wrongIn(tenantId: string, { tasks, schedule }: BulkBody, { snapshots, clock }: CheckPorts): Promise<FieldError[]> {
  const errors: FieldError[] = [];
  const names: Named[] = schedule === undefined ? [] : waitedFor('schedule.', schedule);
  if (schedule !== undefined) errors.push(...impossible(schedule, 'schedule.', clock.now()));
  for (const [index, { conditions, schedule: own }] of tasks.entries()) {
    const at = `tasks[${index}].`;
    if (conditions !== undefined) names.push(...inConditions(at, conditions));
    if (own === undefined) continue;
    errors.push(...impossible(own, `${at}schedule.`, clock.now()));
    names.push(...waitedFor(`${at}schedule.`, own));
  }
  const keys = [...new Set(names.map(({ taskId }) => taskKey(tenantId, taskId)))];
  const known = keys.length === 0 ? new Map() : await snapshots.load(keys);
  for (const { path, taskId } of names)
    if (!known.has(taskKey(tenantId, taskId))) errors.push({ path, message: `names ${taskId}, which does not exist` });
  return errors;
}
