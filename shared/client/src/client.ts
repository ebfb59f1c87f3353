import type * as A from './administration-types.ts';
import type * as B from './bulk-types.ts';
import type { Answered, DryRunOptions } from './dry-run.ts';
import { eventStream, type StreamOptions, type StreamQuery } from './event-stream.ts';
import { type CallOptions, type ChangeOptions, type ClientOptions, httpCalls, type Request } from './http-call.ts';
import type * as N from './notification-types.ts';
import type { Outcome } from './outcome.ts';
import type * as T from './types.ts';

const at = (...parts: string[]): string => `/api/v1/${parts.map(encodeURIComponent).join('/')}`;

/** A claim may wait for 30 s by itself. */
const CLAIM_TRY_MS = 40_000;
const CLAIM_WITHIN_MS = 60_000;

/**
 * The calls of the API with their types; each resolves with an outcome and throws for nothing that a server or a network may do. See http-call.ts for what is
 * tried again.
 */
export function createClient(options: ClientOptions) {
  const call = httpCalls(options);
  const read = <D>(path: string, query: object = {}, how?: CallOptions): Promise<Outcome<D>> =>
    call<D>({ method: 'GET', path, query }, how);
  const change =
    (method: Request['method']) =>
    <D>(path: string, body: object, how?: ChangeOptions): Promise<Outcome<D>> =>
      call<D>({ method, path, body }, how);
  const dryable =
    (method: Request['method']) =>
    <D, H extends DryRunOptions>(path: string, body: object, { dryRun, ...how }: DryRunOptions = {}): Promise<Outcome<Answered<H, D>>> =>
      call<Answered<H, D>>({ method, path, body, query: { dryRun } }, how);
  const [postOrTry, putOrTry] = [dryable('POST'), dryable('PUT')];
  const [post, put, patch] = [change('POST'), change('PUT'), change('PATCH')];

  return {
    createTask: (body: T.CreateTask, how?: ChangeOptions) => post<T.Task>(at('tasks'), body, how),
    changeTask: (taskId: string, body: T.ChangeTask, how?: ChangeOptions) => patch<T.Task>(at('tasks', taskId), body, how),
    trigger: <H extends DryRunOptions = ChangeOptions>(taskId: string, body: T.TriggerTask = {}, how?: H) =>
      postOrTry<T.Triggered, H>(at('tasks', taskId, 'trigger'), body, how),
    reschedule: <H extends DryRunOptions = ChangeOptions>(taskId: string, body: T.RescheduleTask, how?: H) =>
      putOrTry<T.Rescheduled, H>(at('tasks', taskId, 'reschedule'), body, how),
    cancel: <H extends DryRunOptions = ChangeOptions>(taskId: string, body: T.CancelTask = {}, how?: H) =>
      postOrTry<T.Task, H>(at('tasks', taskId, 'cancel'), body, how),

    bulkTrigger: <H extends DryRunOptions = ChangeOptions>(body: B.BulkTrigger, how?: H) =>
      postOrTry<B.BulkTriggered, H>(at('tasks', 'bulk', 'trigger'), body, how),
    bulkReschedule: <H extends DryRunOptions = ChangeOptions>(body: B.BulkReschedule, how?: H) =>
      putOrTry<B.BulkRescheduled, H>(at('tasks', 'bulk', 'reschedule'), body, how),

    /** `atInstant`: as it was then, events at that instant included. */
    task: (taskId: string, atInstant?: string, how?: CallOptions) => read<T.Task>(at('tasks', taskId), { at: atInstant }, how),
    tasks: (query: T.TaskQuery = {}, how?: CallOptions) => read<T.TaskPage>(at('tasks'), query, how),
    events: (taskId: string, query: T.EventQuery = {}, how?: CallOptions) => read<T.EventPage>(at('tasks', taskId, 'events'), query, how),
    event: (taskId: string, eventId: string, how?: CallOptions) => read<T.TaskEvent>(at('tasks', taskId, 'events', eventId), {}, how),
    /** Of all tasks, in the order of time. It trails by up to a second. */
    tenantEvents: (query: T.EventQuery & { taskId?: string } = {}, how?: CallOptions) => read<T.EventPage>(at('events'), query, how),
    /** Events as they happen; unlike the other calls it throws a ProblemError when it can't go on. See event-stream.ts. */
    eventStream: (query: StreamQuery = {}, how: StreamOptions = {}) => eventStream(options, at('events', 'stream'), query, how),
    verify: (taskId: string, how?: CallOptions) => read<T.Verified>(at('tasks', taskId, 'events', 'verify'), {}, how),
    diff: (taskId: string, between: { from?: string; to?: string } = {}, how?: CallOptions) =>
      read<T.TaskChanges>(at('tasks', taskId, 'diff'), between, how),
    /** `accepted`: when it was handed in; without it only what is decided is found. */
    command: (commandId: string, accepted?: string, how?: CallOptions) =>
      read<T.CommandState>(at('commands', commandId), { accepted }, how),
    readiness: (how?: CallOptions) => read<T.Readiness>('/readyz', {}, how),

    /** At most `max` executions (1 when absent); an empty list when there were none in `wait`. */
    async claim({ max = 1, ...body }: T.ClaimExecutions, how?: ChangeOptions): Promise<Outcome<T.Execution[]>> {
      const patient = { withinMs: CLAIM_WITHIN_MS, tryWithinMs: CLAIM_TRY_MS, ...how };
      const outcome = await post<T.Execution[] | undefined>(at('executions', 'claim'), { ...body, max }, patient);
      return outcome.ok ? { ...outcome, data: outcome.data ?? [] } : outcome;
    },

    createApiKey: (body: A.CreateApiKey, how?: ChangeOptions) => post<A.CreatedApiKey>(at('api-keys'), body, how),
    apiKeys: (query: A.ApiKeyQuery = {}, how?: CallOptions) => read<A.ApiKeyPage>(at('api-keys'), query, how),
    revokeApiKey: (id: string, how?: ChangeOptions) => call<undefined>({ method: 'DELETE', path: at('api-keys', id) }, how),
    settings: (how?: CallOptions) => read<A.TenantSettingsInForce>(at('tenant', 'settings'), {}, how),
    changeSettings: (body: A.TenantSettings, how?: ChangeOptions) => put<A.TenantSettingsInForce>(at('tenant', 'settings'), body, how),
    erase: (body: A.Erasure, how?: ChangeOptions) => post<A.Erased>(at('erasures'), body, how),

    subscribe: (body: N.CreateSubscription, how?: ChangeOptions) => post<N.CreatedSubscription>(at('subscriptions'), body, how),
    subscriptions: (how?: CallOptions) => read<N.SubscriptionList>(at('subscriptions'), {}, how),
    unsubscribe: (id: string, how?: ChangeOptions) => call<undefined>({ method: 'DELETE', path: at('subscriptions', id) }, how),
    testSubscription: (id: string, how?: ChangeOptions) => post<N.SubscriptionTest>(at('subscriptions', id, 'test'), {}, how),
    deadLetters: (query: N.DeadLetterQuery = {}, how?: CallOptions) => read<N.DeadLetterPage>(at('dead-letters'), query, how),
    redrive: (id: string, how?: ChangeOptions) => post<N.ClosedDeadLetter>(at('dead-letters', id, 'redrive'), {}, how),
    drop: (id: string, reason: string, how?: ChangeOptions) => post<N.ClosedDeadLetter>(at('dead-letters', id, 'drop'), { reason }, how),

    started: (executionId: string, how?: ChangeOptions) => post<T.Reported>(at('executions', executionId, 'started'), {}, how),
    heartbeat: (executionId: string, how?: ChangeOptions) => post<T.Reported>(at('executions', executionId, 'heartbeat'), {}, how),
    completed: (executionId: string, body: T.CompletedReport = {}, how?: ChangeOptions) =>
      post<T.Reported>(at('executions', executionId, 'completed'), body, how),
    failed: (executionId: string, body: T.FailedReport, how?: ChangeOptions) =>
      post<T.Reported>(at('executions', executionId, 'failed'), body, how),
  };
}

export type Client = ReturnType<typeof createClient>;
