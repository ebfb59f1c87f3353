import type { FieldError } from '@retrigger/contract/problem-codes.ts';
import type { BulkBody, BulkItem } from '@retrigger/domain/bulk/commands.ts';
import { taskKey } from '@retrigger/domain/identifiers.ts';
import type { Ready } from '@retrigger/engine/ready.ts';
import type { Snapshot } from '@retrigger/ports/snapshot-store.ts';
import type { Work } from './command-table.ts';
import type { Caller } from './credentials.ts';
import { isProblem } from './exchange.ts';
import type { Problem } from './problem.ts';
import { invalidFields } from './query.ts';
import { selectTasks } from './select-tasks.ts';
import { type CheckPorts, impossible, inConditions, isDueAtOnce, type Named, waitedFor, wrongName } from './task-checks.ts';
import { withOwnersToken } from './tokens-query.ts';

const MOST_ERRORS = 50;

/**
 * Makes a bulk complete, or says what is wrong with it. W1: a filter is applied here and once; from then on the tasks are named. W2: what a single call would
 * be refused at the door for refuses the bulk, and names the item; what a worker would refuse is that item's result. W3: a bulk is charged for the
 * tasks that it triggers, like as many single calls. W4: nobody waits for what a sensitive task leads to (V3). W5: what is said about a sensitive task is sealed for it.
 */
export async function checkBulk(caller: Caller, work: Work, ports: CheckPorts): Promise<Problem | Ready> {
  if (work.type !== 'BulkTrigger' && work.type !== 'BulkReschedule') throw new Error(`${work.type} is no bulk`);
  const { tenantId } = caller;
  const filter = work.body.filter && (await withOwnersToken(ports, caller, work.body.filter));
  const selected = filter === undefined ? undefined : await selectTasks(ports.snapshots, tenantId, filter);
  if (selected !== undefined && isProblem(selected)) return selected;
  const tasks = selected?.map((taskId): BulkItem => ({ taskId })) ?? work.body.tasks;
  const body: BulkBody = { ...work.body, ...(filter === undefined ? {} : { filter }), tasks };
  const errors = await wrongIn(tenantId, body, ports);
  if (errors.length > 0) return invalidFields(errors.slice(0, MOST_ERRORS));
  const now = ports.clock.now();
  const isDue = ({ schedule = body.schedule }: BulkItem) => schedule !== undefined && isDueAtOnce(schedule, now);
  const triggered = work.type === 'BulkTrigger' ? tasks : tasks.filter(isDue);
  const sealed = await ports.privacy.sealing.sealItems(tenantId, work.taskId, body); // W5
  return { ready: { body: sealed, charged: triggered.map(({ taskId }) => taskId) } };
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
  const known: Map<string, Snapshot> = keys.length === 0 ? new Map() : await snapshots.load(keys);
  for (const name of names) errors.push(...wrongName(name, known.get(taskKey(tenantId, name.taskId))));
  return errors;
}
