import { createHmac } from 'node:crypto';
import { decodeWork, encodeWork } from '@retrigger/contract/work-record.ts';
import type { Command } from '@retrigger/domain/command.ts';
import { EMPTY_HEAD, type StoredEvent } from '@retrigger/domain/event.ts';
import { taskKey } from '@retrigger/domain/identifiers.ts';
import { nextEvent } from '@retrigger/domain/next-event.ts';
import { isPermitted, type Role } from '@retrigger/domain/permissions.ts';
import { isKept, type Outcome, refused } from '@retrigger/domain/refusal.ts';
import { createGateway } from '@retrigger/gateway/app.ts';
import { apiKeys } from '@retrigger/gateway/credentials.ts';
import type { GatewayDeps } from '@retrigger/gateway/deps.ts';
import { placeText } from '@retrigger/gateway/task-query.ts';
import { MemoryDocumentStore } from '@retrigger/memory/memory-document-store.ts';
import { silent } from '@retrigger/ports/observer.ts';
import { type Receipt, unboundReceiptId } from '@retrigger/ports/receipt-store.ts';
import type { Snapshot } from '@retrigger/ports/snapshot-store.ts';
import { eventsIn } from './fake-events.ts';
import { FakeAnswers, FakeClock, FakeLimiter } from './fakes.ts';

const PEOPLE: [string, string, Role][] = [
  ['admin', 'default', 'admin'],
  ['viewer', 'default', 'viewer'],
  ['executor', 'default', 'executor'],
  ['stranger', 'other', 'admin'],
];

/** The key of one of the people that the door knows. */
export const keyOf = (user: string): string => `the-api-key-of-${user}`;

export type Asked = {
  method?: string;
  as?: string | null;
  body?: unknown;
  raw?: string | Uint8Array<ArrayBuffer>;
  headers?: { [name: string]: string };
};

/** A gateway over ports that a test holds in its hands. `worker` answers every command that reaches the log; null = nobody does. */
export function startDoor(options: { config?: Partial<GatewayDeps['config']>; deps?: Partial<GatewayDeps> } = {}) {
  const clock = new FakeClock();
  const answers = new FakeAnswers(clock);
  const limiter = new FakeLimiter();
  const receipts = new Map<string, Receipt>();
  const snapshots = new Map<string, Snapshot>();
  const events: StoredEvent[] = [];
  const commands: Command[] = [];
  const door = {
    clock,
    answers,
    limiter,
    receipts,
    snapshots,
    events,
    commands,
    /** How far the only partition is. */
    mark: { at: clock.now() + 3_600_000, newest: 0 },
    worker: ((command: Command): Outcome =>
      isPermitted(command)
        ? { kind: 'accepted', answer: { taskId: command.taskId, for: command.type } }
        : refused('forbidden', 'The caller’s roles do not permit this')) as ((command: Command) => Outcome) | null,
    seed: (tenantId: string, taskId: string, eventTypes: string[], from = clock.now()) =>
      seed(tenantId, taskId, eventTypes, from, { snapshots, events }),
    async ask(path: string, asked: Asked = {}) {
      const { method = 'GET', as = 'admin', body, raw, headers = {} } = asked;
      const sent = raw ?? (body === undefined ? undefined : JSON.stringify(body));
      const response = await app.request(`http://gateway${path}`, {
        method,
        headers: {
          ...(as === null ? {} : { authorization: `Bearer ${keyOf(as)}` }),
          ...(sent === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(sent === undefined ? {} : { body: sent }),
      });
      const text = await response.text();
      const isJson = /[/+]json\b/.test(response.headers.get('content-type') ?? '');
      return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined };
    },
    post: (path: string, body?: unknown, headers?: { [name: string]: string }) =>
      door.ask(path, { method: 'POST', ...(body === undefined ? {} : { body }), ...(headers === undefined ? {} : { headers }) }),
  };
  let ids = 0;
  const deps: GatewayDeps = {
    log: {
      partitionCount: () => 1,
      async append(_topic, records) {
        for (const record of records) {
          const decoded = decodeWork(record);
          if (decoded.kind === 'undecodable') throw new Error(decoded.reason);
          commands.push(decoded.command);
          if (door.worker !== null) answerOne(decoded.command, door.worker, { receipts, answers, clock });
        }
      },
    },
    answers,
    receipts: {
      load: async (commandIds) => found(receipts, commandIds),
      put: async (given) => {
        for (const receipt of given) if (!receipts.has(receipt.commandId)) receipts.set(receipt.commandId, receipt);
      },
    },
    documents: new MemoryDocumentStore(),
    snapshots: {
      load: async (keys) => found(snapshots, keys),
      waiting: async () => [],
      marks: async () => new Map([[0, door.mark]]),
      list: async (tenantId, { statuses, type }, after, limit) =>
        [...snapshots.values()]
          .filter((one) => one.tenantId === tenantId && statuses.includes(one.status) && (type ?? one.type) === one.type)
          .sort((a, b) => (placeText(a) < placeText(b) ? -1 : 1))
          .filter((one) => after === null || placeText(one) > placeText(after))
          .slice(0, limit),
    },
    events: eventsIn(events),
    limiter,
    secrets: { derive: (...parts) => createHmac('sha256', 'test').update(parts.join('\n')).digest() },
    credentials: apiKeys(PEOPLE.map(([userId, tenantId, role]) => ({ key: keyOf(userId), caller: { tenantId, userId, roles: [role] } }))),
    clock,
    observer: silent,
    encode: encodeWork,
    freshId: () => `fresh-${++ids}`,
    metrics: async () => 'a_metric 1\n',
    readiness: async () => ({ log: 'up', store: 'up' }),
    config: {
      limits: { userPerHour: 0, taskPerHour: 0, systemPerMinute: 0, tenantPerMinute: 0 },
      maxInFlight: 100,
      allowPrivateTargets: false,
      ...options.config,
    },
    ...options.deps,
  };
  const app = createGateway(deps);
  return Object.assign(door, { app, deps });
}

export type Door = ReturnType<typeof startDoor>;

/** What a worker leaves behind for a command: a receipt, and an answer to whoever waits. */
export function answerOne(
  command: Command,
  decide: (command: Command) => Outcome,
  to: { receipts: Map<string, Receipt>; answers: FakeAnswers; clock: FakeClock },
): void {
  const { commandId, tenantId, taskId, actor, type, fingerprint = {} } = command;
  const outcome = decide(command);
  const position = { partition: 0, offset: to.receipts.size, at: to.clock.now() };
  const key = taskKey(tenantId, taskId);
  const name = isKept(outcome) ? commandId : unboundReceiptId(commandId);
  to.receipts.set(name, { commandId: name, tenantId, actorId: actor.id, key, type, sequence: 1, fingerprint, outcome, position });
  to.answers.answer({ commandId, outcome, replayed: false });
}

export const running = (): Outcome => refused('task_already_running', 'Task t is Running; cancel it or wait for its end');

const found = <V>(map: Map<string, V>, keys: string[]): Map<string, V> =>
  new Map(keys.flatMap((key) => (map.has(key) ? [[key, map.get(key) as V] as const] : [])));

/** A task with a history from `from` (epoch ms) on, a minute between two events. */
function seed(
  tenantId: string,
  taskId: string,
  eventTypes: string[],
  from: number,
  { snapshots, events }: { snapshots: Map<string, Snapshot>; events: StoredEvent[] },
): void {
  const key = taskKey(tenantId, taskId);
  let head = EMPTY_HEAD;
  for (const [i, eventType] of eventTypes.entries()) {
    const command = {
      commandId: `c${i}`,
      tenantId,
      taskId,
      actor: { id: 'admin', type: 'user' },
      roles: [],
      correlationId: 'r',
      type: 'CancelTask',
      body: {},
    } satisfies Command;
    const decision = { eventType, schemaVersion: 1, newState: 'Draft', metadata: {} };
    const stored = nextEvent(head, i === 0 ? null : 'Draft', command, decision, { partition: 0, offset: i, at: from + i * 60_000 });
    head = { sequence: i + 1, hash: stored.event.hash, at: Date.parse(stored.event.timestamp), position: stored.position };
    events.push(stored);
  }
  const state = {
    tenantId,
    taskId,
    status: 'Draft',
    target: null,
    deadline: null,
    estimatedDuration: null,
    execution: null,
    lastExecution: null,
    schedule: null,
    nextExecution: null,
    pendingRetry: null,
    proposal: null,
  };
  snapshots.set(key, {
    key,
    tenantId,
    taskId,
    partition: 0,
    head,
    state,
    status: 'Draft',
    type: 'job',
    wakeAt: null,
    waitsFor: [],
  } as unknown as Snapshot);
}
