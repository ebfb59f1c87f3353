import type { FieldError } from '@retrigger/contract/problem-codes.ts';
import { ID_PATTERN } from '@retrigger/domain/identifiers.ts';
import { weightOf } from '@retrigger/domain/json-weight.ts';
import { STATUSES, type TaskState } from '@retrigger/domain/task/state.ts';
import type { Snapshot, SnapshotStore, TaskFilter, TaskPlace } from '@retrigger/ports/snapshot-store.ts';
import { DEFAULT_PAGE, PAGE_SIZES, readPageSize } from './event-query.ts';
import type { Problem } from './problem.ts';
import { invalidFields, readQuery } from './query.ts';

const NAMES = ['status', 'type', 'owner', 'critical', 'cursor', 'pageSize'] as const;
const FIRST_CHUNK = 100;
const LARGEST_CHUNK = 500;
const CHUNK_BYTES = 1_048_576;
/** A page ends before the task that would make it larger, however many it may have. */
const PAGE_BYTES = 8 * 1_048_576;
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
 * L2: a page of large tasks is a short one; they are read in chunks, of fewer when they are large.
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
  const most = isPlain ? pageSize + 1 : LARGEST_CHUNK;
  let limit = Math.min(most, FIRST_CHUNK);
  let bytes = 0;
  for (let after = start, scanned = 0; ; ) {
    const chunk = await snapshots.list(tenantId, filter, after, limit);
    let chunkBytes = 0;
    for (const snapshot of chunk) {
      const state = snapshot.state as TaskState;
      const weight = weightOf(state);
      chunkBytes += weight;
      if ((owner !== undefined && state.owner !== owner) || (critical !== undefined && state.critical !== critical)) continue;
      const last = tasks.at(-1);
      if (last !== undefined && (tasks.length === pageSize || bytes + weight > PAGE_BYTES)) return { tasks, next: last };
      tasks.push(snapshot);
      bytes += weight;
    }
    const last = chunk.at(-1);
    if (chunk.length < limit || last === undefined) return { tasks, next: null };
    after = last;
    scanned += chunk.length;
    if (scanned >= MOST_SCANNED) return { tasks, next: last };
    limit = Math.min(most, MOST_SCANNED - scanned, Math.max(1, Math.floor((CHUNK_BYTES * chunk.length) / chunkBytes))); // L2
  }
}
