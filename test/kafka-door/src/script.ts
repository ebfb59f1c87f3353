import type { Event } from '@retrigger/domain/event.ts';
import type { JsonObject } from '@retrigger/domain/json.ts';

/** One command, as either door takes it. `execution`: it is about the task's last one; EXECUTION stands for its id in the path. */
export type Said = { type: string; method: string; path: string; taskId: string; body: JsonObject; execution?: true; as?: string };

const onTask = (taskId: string, type: string, method: string, call: string, body: JsonObject = {}, as = 'ann'): Said => ({
  ...{ type, method, taskId, body, as },
  path: `/api/v1/tasks/${taskId}${call}`,
});

const report = (taskId: string, type: string, call: string, body: JsonObject = {}): Said => ({
  ...{ type, method: 'POST', taskId, body, execution: true },
  path: `/api/v1/executions/EXECUTION/${call}`,
});

const create = (taskId: string, body: JsonObject): Said => ({
  ...{ type: 'CreateTask', method: 'POST', path: '/api/v1/tasks', taskId },
  body: { taskId, ...body },
});

/** Every command of a door, and refusals of each kind, on two tasks. `ann` is an admin, `otto` an operator, `vera` a viewer. */
export const script = (a: string, b: string): Said[] => [
  create(a, { type: 'job', context: { version: 1 }, retry: { maxAttempts: 2, baseDelay: '1h', jitter: 'none' } }),
  create(a, { type: 'job' }),
  create(b, { type: 'job', dependencies: [a], schedule: { strategy: 'conditional', conditions: { dependenciesComplete: true } } }),
  onTask(a, 'ChangeTask', 'PATCH', '', { critical: true, estimatedDuration: '5m' }),
  onTask(a, 'ChangeTask', 'PATCH', '', { dependencies: [b] }),
  onTask(a, 'TriggerTask', 'POST', '/trigger', { triggerReason: 'by hand', context: { deep: { é: [1, null] } } }),
  onTask(a, 'TriggerTask', 'POST', '/trigger'),
  report(a, 'StartExecution', 'started'),
  report(a, 'HeartbeatExecution', 'heartbeat'),
  report(a, 'FailExecution', 'failed', { error: 'no luck', retryable: true }),
  onTask(a, 'RescheduleTask', 'PUT', '/reschedule', { strategy: 'delayed', delay: '2h', reason: 'later' }),
  onTask(a, 'TriggerTask', 'POST', '/trigger', {}, 'otto'),
  onTask(a, 'TriggerTask', 'POST', '/trigger', {}, 'vera'),
  onTask(a, 'TriggerTask', 'POST', '/trigger', { conditions: { outcome: { taskId: b, status: 'Completed' } } }),
  onTask(a, 'TriggerTask', 'POST', '/trigger'),
  report(a, 'CompleteExecution', 'completed', { result: { ok: true } }),
  report(b, 'CompleteExecution', 'completed'),
  onTask(b, 'RescheduleTask', 'PUT', '/reschedule', { strategy: 'cron', cron: '0 6 * * *', timeZone: 'Europe/Berlin' }),
  onTask(b, 'CancelTask', 'POST', '/cancel', { reason: 'enough' }),
  onTask('nobody', 'CancelTask', 'POST', '/cancel'),
];

export const lastExecution = (events: Event[]): string =>
  String(events.findLast(({ metadata }) => metadata.executionId !== undefined)?.metadata.executionId);

/** What belongs to one event alone: ids that are made of its command's, hashes, instants, the token of a name. */
const OWN = new Set(['eventId', 'timestamp', 'commandId', 'correlationId', 'hash', 'previousHash', 'traceparent', 'sealed']);

/** What is the same whichever way the commands came: all but ids that are made of theirs, hashes and instants. */
export function told(events: Event[], a: string, b: string): unknown[] {
  return events.map((event) =>
    JSON.parse(
      JSON.stringify(Object.fromEntries(Object.entries(event).filter(([name]) => !OWN.has(name))))
        .replaceAll(new RegExp(`\\b(${a}|${b})\\.[\\w-]{22}`, 'g'), '$1.EXECUTION')
        .replaceAll(new RegExp(`\\b${a}\\b`, 'g'), 'A')
        .replaceAll(new RegExp(`\\b${b}\\b`, 'g'), 'B')
        .replaceAll(/\brun_[\w-]{22}/g, 'RUN')
        .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'INSTANT')
        .replaceAll(/\bu_[\w-]{22}/g, 'TOKEN')
        .replaceAll(/"delayApplied":"\d+ms"/g, '"delayApplied":"DELAY"')
        .replaceAll(/"(proposal|commandId)":"[\w-]{22}"/g, '"$1":"COMMAND"'),
    ),
  );
}
