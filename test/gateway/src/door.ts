import { createHmac } from 'node:crypto';
import { decodeWork, encodeWork } from '@retrigger/contract/work-record.ts';
import type { Command } from '@retrigger/domain/command.ts';
import type { StoredEvent } from '@retrigger/domain/event.ts';
import { taskKey } from '@retrigger/domain/identifiers.ts';
import { isPermitted, type Role } from '@retrigger/domain/permissions.ts';
import { nameToken, SALT_BYTES } from '@retrigger/domain/privacy/name-token.ts';
import { isKept, type Outcome, refused } from '@retrigger/domain/refusal.ts';
import { createPrivacy } from '@retrigger/engine/privacy.ts';
import { createGateway } from '@retrigger/gateway/app.ts';
import { anyOf, apiKeys } from '@retrigger/gateway/credentials.ts';
import type { GatewayDeps } from '@retrigger/gateway/deps.ts';
import { KeyCredentials } from '@retrigger/gateway/key-credentials.ts';
import { placeText } from '@retrigger/gateway/task-query.ts';
import { LimitsOfTenants } from '@retrigger/gateway/tenant-settings.ts';
import { ofKnownUsers, withTokens } from '@retrigger/gateway/user-tokens.ts';
import { MemoryDocumentStore } from '@retrigger/memory/memory-document-store.ts';
import { MemoryKeyStore } from '@retrigger/memory/memory-key-store.ts';
import { MemoryLeases } from '@retrigger/memory/memory-leases.ts';
import type { KeyStore } from '@retrigger/ports/key-store.ts';
import { silent } from '@retrigger/ports/observer.ts';
import { RECEIPT_LIFE_MS, type Receipt, unboundReceiptId } from '@retrigger/ports/receipt-store.ts';
import type { Secrets } from '@retrigger/ports/secrets.ts';
import type { Snapshot } from '@retrigger/ports/snapshot-store.ts';
import { eventsIn } from './fake-events.ts';
import { FakeAnswers, FakeClock, FakeLimiter, found } from './fakes.ts';
import { seed } from './seed.ts';

const PEOPLE: [string, string, Role][] = [
  ['admin', 'default', 'admin'],
  ['viewer', 'default', 'viewer'],
  ['operator', 'default', 'operator'],
  ['executor', 'default', 'executor'],
  ['stranger', 'other', 'admin'],
];

/** No chance here, so that a test knows every token beforehand. */
const freshBytes = (count: number): Buffer => Buffer.alloc(count, 7);

/** What stands for one of the people behind the door. */
export const tokenOf = (user: string, tenantId = 'default'): string => nameToken(freshBytes(SALT_BYTES), tenantId, user);

/** The key of one of the people that the door knows. */
export const keyOf = (user: string): string => `the-api-key-of-${user}`;

const SECRETS: Secrets = { derive: (...parts) => createHmac('sha256', 'test').update(parts.join('\n')).digest() };

export type Asked = {
  method?: string;
  as?: string | null;
  /** A key of its own, instead of one of the people's. */
  key?: string;
  body?: unknown;
  raw?: string | Uint8Array<ArrayBuffer>;
  headers?: { [name: string]: string };
};

type Options = {
  config?: Partial<GatewayDeps['config']>;
  deps?: Partial<GatewayDeps>;
  keys?: KeyStore;
  wrap?: (deps: GatewayDeps) => GatewayDeps;
};

/** A gateway over ports that a test holds in its hands. `worker` answers every command that reaches the log; null = nobody does. */
export function startDoor(options: Options = {}) {
  const keys = options.keys ?? new MemoryKeyStore();
  const clock = new FakeClock();
  const documents = options.deps?.documents ?? new MemoryDocumentStore();
  const answers = new FakeAnswers(clock);
  const limiter = new FakeLimiter();
  const leases = new MemoryLeases(clock);
  const receipts = new Map<string, Receipt>();
  const snapshots = new Map<string, Snapshot>();
  const events: StoredEvent[] = [];
  const commands: Command[] = [];
  const door = {
    documents,
    clock,
    answers,
    limiter,
    leases,
    receipts,
    snapshots,
    events,
    commands,
    /** What may be claimed; nothing, unless a test says so. */
    claimable: (async () => []) as GatewayDeps['snapshots']['claimable'],
    lagMs: 0,
    /** How far the only partition is. */
    mark: { at: clock.now() + 3_600_000, newest: 0 },
    worker: ((command: Command): Outcome =>
      isPermitted(command)
        ? { kind: 'accepted', answer: { taskId: command.taskId, for: command.type } }
        : refused('forbidden', 'The caller’s roles do not permit this')) as ((command: Command) => Outcome) | null,
    seed: (tenantId: string, taskId: string, eventTypes: string[], from = clock.now()) =>
      seed(tenantId, taskId, eventTypes, { snapshots, events, from, by: tokenOf('admin', tenantId) }),
    async ask(path: string, asked: Asked = {}) {
      const { method = 'GET', as = 'admin', body, raw, headers = {} } = asked;
      const key = asked.key ?? (as === null ? undefined : keyOf(as));
      const sent = raw ?? (body === undefined ? undefined : JSON.stringify(body));
      const response = await app.request(`http://gateway${path}`, {
        method,
        headers: {
          ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
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
  const config: GatewayDeps['config'] = {
    limits: { userPerHour: 0, taskPerHour: 0, systemPerMinute: 0, tenantPerMinute: 0 },
    maxInFlight: 100,
    maxUndecided: 0,
    maxBodyBytes: 10 * 1_048_576,
    isOnlyDoor: true,
    allowPrivateTargets: false,
    ...options.config,
  };
  const secrets = SECRETS;
  const people = apiKeys(PEOPLE.map(([userId, tenantId, role]) => ({ key: keyOf(userId), caller: { tenantId, userId, roles: [role] } })));
  const privacy = createPrivacy({
    ...{ keys, secrets: SECRETS, clock, freshBytes },
    snapshots: { load: async (keys) => found(snapshots, keys) },
  });
  const limits = new LimitsOfTenants(config.limits, documents, clock);
  const deps: GatewayDeps = {
    lag: { ageMs: () => door.lagMs, oldestMs: () => door.lagMs },
    limitsFor: (tenantId) => limits.of(tenantId),
    limitsChanged: (tenantId) => limits.forget(tenantId),
    log: {
      partitionOf: () => 0,
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
        for (const receipt of given) {
          const before = receipts.get(receipt.commandId);
          if (before === undefined || receipt.position.at - before.position.at >= RECEIPT_LIFE_MS) receipts.set(receipt.commandId, receipt);
        }
      },
    },
    documents,
    snapshots: {
      load: async (keys) => found(snapshots, keys),
      waiting: async () => [],
      claimable: async (...asked) => door.claimable(...asked),
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
    leases,
    secrets,
    privacy,
    credentials: anyOf(withTokens(people, privacy.ring), ofKnownUsers(new KeyCredentials({ documents, secrets, clock }), privacy.ring)),
    clock,
    observer: silent,
    encode: encodeWork,
    freshId: () => `fresh-${++ids}`,
    metrics: async () => 'a_metric 1\n',
    readiness: async () => ({ log: 'up', store: 'up' }),
    config,
    ...options.deps,
  };
  const app = createGateway(options.wrap?.(deps) ?? deps);
  return Object.assign(door, { app, deps, privacy, keys });
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
  to.receipts.set(name, { commandId: name, tenantId, actorId: actor.id, key, type, sequence: null, fingerprint, outcome, position });
  to.answers.answer({ commandId, outcome, replayed: false });
}

export const running = (): Outcome => refused('task_already_running', 'Task t is Running; cancel it or wait for its end');
