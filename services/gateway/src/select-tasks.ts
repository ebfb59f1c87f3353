import type { BulkFilter } from '@retrigger/domain/bulk/commands.ts';
import { MOST_TASKS } from '@retrigger/domain/bulk/state.ts';
import { taskKey } from '@retrigger/domain/identifiers.ts';
import { STATUSES, type TaskState } from '@retrigger/domain/task/state.ts';
import type { SnapshotStore, TaskPlace } from '@retrigger/ports/snapshot-store.ts';
import { invalid, type Problem } from './problem.ts';
import { findTasks } from './task-query.ts';

/** A filter that has to look at more tasks than so many pages of them hold is refused: it would hold up the store. */
const MOST_PAGES = 10;

const TOO_MANY = invalid('filter', `selects more than ${MOST_TASKS.toLocaleString('en')} tasks; narrow it`);
const TOO_WIDE = invalid('filter', 'has to look at too many tasks; add a status, a type or taskIds');

/** The ids of the tasks that a filter selects now, by type and id. */
export async function selectTasks(
  snapshots: Pick<SnapshotStore, 'list' | 'load'>,
  tenantId: string,
  filter: BulkFilter,
): Promise<string[] | Problem> {
  const { taskIds, status, type, owner, critical } = filter;
  if (taskIds !== undefined) return amongNamed(snapshots, tenantId, filter, taskIds);
  const query = {
    filter: { statuses: status === undefined ? STATUSES : [status], ...(type === undefined ? {} : { type }) },
    ...(owner === undefined ? {} : { owner }),
    ...(critical === undefined ? {} : { critical }),
    ...{ pageSize: MOST_TASKS, cursor: null, question: '' },
  };
  const selected: string[] = [];
  let place: TaskPlace | null = null;
  for (let page = 0; page < MOST_PAGES; page++) {
    const { tasks, next } = await findTasks(snapshots, tenantId, query, place);
    for (const { taskId } of tasks) selected.push(taskId);
    if (selected.length > MOST_TASKS || (selected.length === MOST_TASKS && next !== null)) return TOO_MANY;
    if (next === null) return selected;
    place = next;
  }
  return TOO_WIDE;
}

async function amongNamed(
  snapshots: Pick<SnapshotStore, 'load'>,
  tenantId: string,
  { status, type, owner, critical }: BulkFilter,
  taskIds: string[],
): Promise<string[]> {
  const found = await snapshots.load(taskIds.map((id) => taskKey(tenantId, id)));
  return taskIds.filter((id) => {
    const state = found.get(taskKey(tenantId, id))?.state as TaskState | undefined;
    return (
      state !== undefined &&
      (status ?? state.status) === state.status &&
      (type ?? state.type) === state.type &&
      (owner ?? state.owner) === state.owner &&
      (critical ?? state.critical) === state.critical
    );
  });
}
