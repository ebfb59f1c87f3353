import { hash } from 'node:crypto';

/** The alphabet and length of ids, tenant, task and user names. `/` is not in it, so a key splits one way only. */
export const ID_PATTERN = /^[A-Za-z0-9._~:@-]{1,128}$/;

/** 22 URL-safe characters (132 bits) that depend on every part; parts hold no line feed. */
export function derive(...parts: (string | number)[]): string {
  return hash('sha256', parts.join('\n'), 'base64url').slice(0, 22);
}

/** The name of a task's stream of commands and events: `tenantId/taskId`. */
export const taskKey = (tenantId: string, taskId: string): string => `${tenantId}/${taskId}`;

/** The name that a bulk has where a task has its id: the key of its stream is `tenantId/bulk/bulkId`. No task id has a slash, so the two never meet. */
export const bulkName = (bulkId: string): string => `bulk/${bulkId}`;

/** Whether a name is a bulk's, not a task's. */
export const isBulkName = (name: string): boolean => name.startsWith('bulk/');

export const bulkIdOf = (name: string): string => name.slice('bulk/'.length);

/** What stands where a command or an event has its task's id: that, or a bulk's name. */
export const NAME_PATTERN = /^(bulk\/)?[A-Za-z0-9._~:@-]{1,128}$/;

/** The two parts of a stream's key. */
export function partsOfKey(key: string): { tenantId: string; taskId: string } {
  const slash = key.indexOf('/');
  return { tenantId: key.slice(0, slash), taskId: key.slice(slash + 1) };
}

/** Whether a stream is a bulk's, by its key. */
export const isBulkKey = (key: string): boolean => isBulkName(partsOfKey(key).taskId);

/** The name of a tenant's own stream, which holds what is done to the tenant as a whole; no task can have it. */
export const TENANT_STREAM = '~tenant';

/** The event's unique name. Deciding twice meets this name, so it can never become doing twice. */
export const eventName = (key: string, sequence: number): string => `${key}/${sequence}`;

/** Opaque, URL-safe, unique: a digest of the stream's key and the sequence, padded so that text order is sequence order. */
export const eventId = (key: string, sequence: number): string => `${derive('event', key)}.${String(sequence).padStart(10, '0')}`;

/** The sequence in an eventId of this stream; undefined when it is another stream's or malformed. */
export function sequenceOf(key: string, id: string): number | undefined {
  const digits = id.slice(23);
  return id === `${derive('event', key)}.${digits}` && /^\d{10}$/.test(digits) ? Number(digits) : undefined;
}

export const deriveTaskId = (commandId: string): string => `task_${derive('task', commandId)}`;

export const deriveBulkId = (commandId: string): string => `bulk_${derive('bulk', commandId)}`;

/** One run: all attempts of one trigger. The sequence keeps a commandId that is used again after its 24 hours apart. */
export const deriveRunId = (key: string, commandId: string, sequence: number): string => `run_${derive('run', key, commandId, sequence)}`;

/** What an executionId has behind its task's id. */
const EXECUTION_SUFFIX_LENGTH = 23;

/** An executionId is its task's id and 23 more characters of the same alphabet: for the longest task ids longer than other ids are. */
export const MAX_EXECUTION_ID_LENGTH = 128 + EXECUTION_SUFFIX_LENGTH;

/** An execution names its task, so that a late report of a long-ended execution still finds it. */
export const deriveExecutionId = (taskId: string, key: string, commandId: string, sequence: number): string =>
  `${taskId}.${derive('execution', key, commandId, sequence)}`;

/** The task of an executionId; undefined when it can't be one. */
export function taskOfExecution(executionId: string): string | undefined {
  const taskId = executionId.slice(0, -EXECUTION_SUFFIX_LENGTH);
  return ID_PATTERN.test(taskId) && /^\.[A-Za-z0-9_-]{22}$/.test(executionId.slice(-EXECUTION_SUFFIX_LENGTH)) ? taskId : undefined;
}
