import type { FieldError } from '@retrigger/contract/problem-codes.ts';
import { ID_PATTERN } from '@retrigger/domain/identifiers.ts';
import { STATUSES, type TaskState } from '@retrigger/domain/task/state.ts';
import type { Snapshot, SnapshotStore, TaskFilter, TaskPlace } from '@retrigger/ports/snapshot-store.ts';
import { DEFAULT_PAGE, PAGE_SIZES, readPageSize } from './event-query.ts';
import type { Problem } from './problem.ts';
import { invalidFields, readQuery } from './query.ts';

const NAMES = ['status', 'type', 'owner', 'critical', 'cursor', 'pageSize'] as const;
const SCANNED_AT_ONCE = 500;
/** So many tasks are looked at for one page; a filter that matches few of them gives a shorter page, and a cursor to go on from. */
const MOST_SCANNED = 20_000;

export type TaskQuery = {
  filter: TaskFilter;
  owner?: string;
  critical?: boolean;
  pageSize: number;
  cursor: string | null;
  /** The same for the same question, whatever the page. */
  question: string;
};

/** Reads the query parameters of a list of tasks. */
export function readTaskQuery(url: string): TaskQuery | Problem {
  const query = readQuery(url, NAMES);
  if (query.kind === 'problem') return query.problem;
  const { status, type, owner, critical, cursor = '', pageSize = String(DEFAULT_PAGE) } = query.values;
  const errors: FieldError[] = [];
  const size = readPageSize(pageSize);
  if (status !== undefined && !(STATUSES as readonly string[]).includes(status))
    errors.push({ path: 'status', message: `must be one of ${STATUSES.join(', ')}` });
  if (type !== undefined && !ID_PATTERN.test(type)) errors.push({ path: 'type', message: 'must be a type of task' });
  if (owner !== undefined && !ID_PATTERN.test(owner)) errors.push({ path: 'owner', message: 'must be the id of a user' });
  if (critical !== undefined && critical !== 'true' && critical !== 'false')
    errors.push({ path: 'critical', message: 'must be true or false' });
  if (size === undefined) errors.push({ path: 'pageSize', message: PAGE_SIZES });
  if (errors.length > 0 || size === undefined) return invalidFields(errors);
  return {
    filter: { statuses: status === undefined ? STATUSES : [status], ...(type === undefined ? {} : { type }) },
    ...(owner === undefined ? {} : { owner }),
    ...(critical === undefined ? {} : { critical: critical === 'true' }),
    pageSize: size,
    cursor: cursor === '' ? null : cursor,
    question: ['tasks', status ?? '*', type ?? '*', owner ?? '*', critical ?? '*'].join('\n'),
  };
}

/** A task's place as a cursor carries it: no id has a slash. */
export const placeText = ({ type, taskId }: TaskPlace): string => `${type}/${taskId}`;

export function placeOf(text: string): TaskPlace {
  const [type = '', taskId = ''] = text.split('/');
  return { type, taskId };
}

/** `next`: where the next page begins; null when there is none. */
export type TaskPage = { tasks: Snapshot[]; next: TaskPlace | null };

/**
 * The tasks that match, by type and id. Status and type are found by the index; owner and criticality are looked at one by one.
 * L1: a page ends after `MOST_SCANNED` tasks at the latest, so no filter makes one request read a whole tenant.
 */
export async function findTasks(
  snapshots: Pick<SnapshotStore, 'list'>,
  tenantId: string,
  { filter, owner, critical, pageSize }: TaskQuery,
  start: TaskPlace | null,
): Promise<TaskPage> {
  const tasks: Snapshot[] = [];
  const isPlain = owner === undefined && critical === undefined;
  const limit = isPlain ? pageSize + 1 : SCANNED_AT_ONCE;
  for (let after = start, scanned = 0; ; ) {
    const chunk = await snapshots.list(tenantId, filter, after, limit);
    for (const snapshot of chunk) {
      const state = snapshot.state as TaskState;
      if ((owner !== undefined && state.owner !== owner) || (critical !== undefined && state.critical !== critical)) continue;
      const last = tasks.at(-1);
      if (tasks.length === pageSize && last !== undefined) return { tasks, next: last };
      tasks.push(snapshot);
    }
    const last = chunk.at(-1);
    if (chunk.length < limit || last === undefined) return { tasks, next: null };
    after = last;
    scanned += chunk.length;
    if (scanned >= MOST_SCANNED) return { tasks, next: last };
  }
}
