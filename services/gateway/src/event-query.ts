import { hash } from 'node:crypto';
import { EVENT_TYPES } from '@retrigger/contract/event-schema.ts';
import type { FieldError } from '@retrigger/contract/problem-codes.ts';
import { ID_PATTERN } from '@retrigger/domain/identifiers.ts';
import { formatInstant } from '@retrigger/domain/instant.ts';
import type { EventFilter } from '@retrigger/ports/event-store.ts';
import { EXPORT_FORMATS, type ExportFormat } from './event-export.ts';
import { INSTANT_OR_DATE, instantOrDate } from './instants-query.ts';
import type { Problem } from './problem.ts';
import { invalidFields, readQuery } from './query.ts';
import { justAfter } from './stored-history.ts';

const OF_TASK = ['types', 'from', 'to', 'actor', 'order', 'cursor', 'pageSize', 'format'] as const;
const OF_TENANT = [...OF_TASK, 'taskId'] as const;
export const DEFAULT_PAGE = 100;
const MAX_PAGE = 1_000;
export const PAGE_SIZES = `must be a whole number from 1 to ${MAX_PAGE}`;
const DAY_MS = 86_400_000;

/** What a page of events asks for. `fingerprint` is the same for the same question, whatever the page; `cursor` is null at the start. */
export type EventQuery = {
  filter: EventFilter;
  order: 'asc' | 'desc';
  pageSize: number;
  cursor: string | null;
  fingerprint: string;
  /** All that match as a file, instead of a page. */
  format: ExportFormat | null;
  /** Of a tenant's history, that of one task only. */
  taskId: string | null;
};

/** Reads the query parameters of a task's or a tenant's history. */
export function readEventQuery(url: string, of: 'task' | 'tenant' = 'task'): EventQuery | Problem {
  const query = readQuery<(typeof OF_TENANT)[number]>(url, of === 'task' ? OF_TASK : OF_TENANT);
  if (query.kind === 'problem') return query.problem;
  const { taskId } = query.values;
  const { types, from, to, actor, order = 'asc', cursor = '', pageSize = String(DEFAULT_PAGE), format } = query.values;
  const errors: FieldError[] = [];
  const wrong = (path: string, message: string): undefined => void errors.push({ path, message });
  const filter: EventFilter = {};
  if (types !== undefined) filter.types = readTypes(types) ?? wrong('types', TYPES) ?? [];
  const since = from === undefined ? undefined : (bound(from, formatInstant) ?? wrong('from', INSTANT_OR_DATE));
  const before = to === undefined ? undefined : (bound(to, justAfter, DAY_MS - 1) ?? wrong('to', INSTANT_OR_DATE));
  if (since !== undefined) filter.from = since;
  if (before !== undefined) filter.before = before;
  if (actor !== undefined && !ID_PATTERN.test(actor)) wrong('actor', 'must be the id of an actor');
  if (actor !== undefined) filter.actorId = actor;
  if (taskId !== undefined && !ID_PATTERN.test(taskId)) wrong('taskId', 'must be the id of a task');
  if (order !== 'asc' && order !== 'desc') wrong('order', 'must be asc or desc');
  const size = readPageSize(pageSize);
  if (size === undefined) wrong('pageSize', PAGE_SIZES);
  if (format !== undefined && !isFormat(format)) wrong('format', `must be one of ${EXPORT_FORMATS.join(', ')}`);
  if (format !== undefined && cursor !== '') wrong('cursor', 'does not go with format, which gives all that match');
  if (format !== undefined && query.values.pageSize !== undefined) wrong('pageSize', 'does not go with format, which gives all that match');
  if (errors.length > 0 || size === undefined) return invalidFields(errors);
  const matching = [filter.types?.join(',') ?? '*', filter.from ?? '*', filter.before ?? '*', actor ?? '*', taskId ?? '*'].join('\n');
  return {
    filter,
    order: order as 'asc' | 'desc',
    pageSize: size,
    cursor: cursor === '' ? null : cursor,
    fingerprint: hash('sha256', `${matching}\n${order}`, 'base64url'),
    format: format !== undefined && isFormat(format) ? format : null,
    taskId: taskId ?? null,
  };
}

const isFormat = (text: string): text is ExportFormat => (EXPORT_FORMATS as readonly string[]).includes(text);

/** Undefined when it is none. */
export function readPageSize(text: string): number | undefined {
  const size = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  return size >= 1 && size <= MAX_PAGE ? size : undefined;
}

export const TYPES = `must be some of ${EVENT_TYPES.join(', ')}, separated by commas`;

/** Undefined when it names one that there is not. */
export function readTypes(text: string): string[] | undefined {
  const types = [...new Set(text.split(',').map((type) => type.trim()))].sort();
  return types.every((type) => (EVENT_TYPES as readonly string[]).includes(type)) ? types : undefined;
}

/** An instant as a filter takes it; a date stands for `withinDay` milliseconds after it began. */
function bound(text: string, asFilter: (at: number) => string, withinDay = 0): string | undefined {
  const at = instantOrDate(text, withinDay);
  return at === undefined ? undefined : asFilter(at);
}
