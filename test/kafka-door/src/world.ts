import { createHmac, randomBytes } from 'node:crypto';
import { avroReader } from '@retrigger/contract/avro-reader.ts';
import { commandSchema } from '@retrigger/contract/avro-schemas.ts';
import { jsonEvents } from '@retrigger/contract/event-codec.ts';
import type { AvroCommand } from '@retrigger/contract/schema-registry.ts';
import { decodeWork, encodeWork } from '@retrigger/contract/work-record.ts';
import type { Command } from '@retrigger/domain/command.ts';
import { domainDecider } from '@retrigger/domain/domain-decider.ts';
import type { Event, StoredEvent } from '@retrigger/domain/event.ts';
import type { JsonObject } from '@retrigger/domain/json.ts';
import type { AnyDecider } from '@retrigger/engine/aggregate.ts';
import type { CommandLimits } from '@retrigger/engine/command-limits.ts';
import { createPrivacy } from '@retrigger/engine/privacy.ts';
import { isTick } from '@retrigger/engine/ticks.ts';
import { writeInSteps } from '@retrigger/engine/write-in-steps.ts';
import { createAdmission, createGateway } from '@retrigger/gateway/app.ts';
import { apiKeys } from '@retrigger/gateway/credentials.ts';
import { GATEWAY_GROUP, type OpenKafkaDoor, openKafkaDoor } from '@retrigger/gateway/open-kafka-door.ts';
import { withTokens } from '@retrigger/gateway/user-tokens.ts';
import { systemClock } from '@retrigger/lifecycle/system-clock.ts';
import { MemoryAnswers } from '@retrigger/memory/memory-answers.ts';
import { MemoryDocumentStore } from '@retrigger/memory/memory-document-store.ts';
import { MemoryEventStore } from '@retrigger/memory/memory-event-store.ts';
import { MemoryKeyStore } from '@retrigger/memory/memory-key-store.ts';
import { MemoryLeases } from '@retrigger/memory/memory-leases.ts';
import { MemoryLimiter } from '@retrigger/memory/memory-limiter.ts';
import { MemoryLog } from '@retrigger/memory/memory-log.ts';
import { MemoryReceiptStore } from '@retrigger/memory/memory-receipt-store.ts';
import { MemorySnapshotStore } from '@retrigger/memory/memory-snapshot-store.ts';
import type { Limit, Limiter } from '@retrigger/ports/limiter.ts';
import { type Log, type LogRecord, type NewRecord, TOPICS } from '@retrigger/ports/log.ts';
import { type Observer, silent } from '@retrigger/ports/observer.ts';
import { unobserved } from '@retrigger/ports/reached.ts';
import { createWorker, type Worker } from '@retrigger/worker/worker.ts';
import { keyOf, PEOPLE, SCHEMA_ID, secretOf } from './signed-record.ts';

/** A log that tells a test what stands in it. */
export type WorldLog = Log & Pick<MemoryLog, 'records' | 'appendFault'> & { seen?: () => Promise<boolean> };

export const PARTITIONS = { [TOPICS.commands]: 2, [TOPICS.work]: 2, [TOPICS.events]: 2, [TOPICS.deadLetters]: 1 };

export const OFF: CommandLimits = { userPerHour: 0, taskPerHour: 0, systemPerMinute: 0, tenantPerMinute: 0 };

/** Both doors and a worker on ports in memory. Time is the machine's. */
export class World {
  readonly log: WorldLog;
  readonly events = new MemoryEventStore(unobserved);
  readonly receipts = new MemoryReceiptStore(unobserved);
  readonly snapshots = new MemorySnapshotStore(unobserved);
  readonly privacy = createPrivacy({
    ...{ keys: new MemoryKeyStore(), snapshots: this.snapshots, clock: systemClock, freshBytes: randomBytes },
    secrets: { derive: (...parts: (string | number)[]) => createHmac('sha256', 'master').update(parts.join('\n')).digest() },
  });
  readonly counted: string[] = [];
  /** How many undecided commands a tenant may have on a partition; 0 = no bound. */
  maxUndecided = 0;
  /** Replaces what asks the schema registry. */
  findSchema = async (id: number) => (id === SCHEMA_ID ? commandSchema.type : undefined);
  /** Called before an offset is committed; a throw is a crash between hand-in and commit. */
  beforeCommit = async (): Promise<void> => {};
  readonly #answers = new MemoryAnswers(systemClock);
  readonly #limiter = new MemoryLimiter();
  /** All doors' that are opened one after the other, or at once. */
  readonly #leases = new MemoryLeases(systemClock);
  /** The windows of all limits; null = as they are. */
  limitWindowMs: number | null = null;
  readonly #limits: CommandLimits;
  readonly #doors: OpenKafkaDoor[] = [];
  #worker: Worker | undefined;
  #app: ReturnType<typeof createGateway> | undefined;

  constructor(limits = OFF, log: WorldLog = new MemoryLog(PARTITIONS, systemClock, unobserved)) {
    this.#limits = limits;
    this.log = log;
  }

  async startWorker(): Promise<void> {
    const { log, events, receipts, snapshots } = this;
    this.#worker = await createWorker({
      ...{ log, events, receipts, snapshots, answers: this.#answers, clock: systemClock, observer: silent, reached: unobserved },
      ...{ encode: encodeWork, decode: decodeWork, encodeEvent: jsonEvents.encode },
      decisions: writeInSteps(events, receipts, snapshots, unobserved),
      decider: domainDecider as AnyDecider,
    });
  }

  /** A gateway: both doors. Several share the log's group. */
  async openDoor(): Promise<OpenKafkaDoor> {
    let ids = 0;
    const { log, events, receipts, snapshots, privacy } = this;
    const observer: Observer = { ...silent, count: (name, labels) => void this.counted.push(`${name} ${Object.values(labels).join(' ')}`) };
    const deps = {
      ...{
        log,
        events,
        receipts,
        snapshots,
        answers: this.#answers,
        limiter: this.#shortened(),
        leases: this.#leases,
        clock: systemClock,
        observer,
        encode: encodeWork,
      },
      secrets: { derive: (...parts: (string | number)[]) => createHmac('sha256', 'test').update(parts.join('\n')).digest() },
      credentials: withTokens(
        apiKeys(
          PEOPLE.map(([userId, tenantId, role]) => ({
            key: keyOf(userId),
            caller: { tenantId, userId, roles: [role] },
            signing: { keyId: `${userId}-key`, secret: secretOf(userId) },
          })),
        ),
        privacy.ring,
      ),
      freshId: () => `fresh${String(++ids).padStart(17, '-')}`,
      metrics: async () => '',
      readiness: async () => ({}),
      privacy,
      lag: { ageMs: () => 0, oldestMs: () => 0 },
      documents: new MemoryDocumentStore(),
      limitsFor: () => this.#limits,
      config: {
        limits: this.#limits,
        maxInFlight: 10,
        maxUndecided: this.maxUndecided,
        maxBodyBytes: 10_000_000,
        isOnlyDoor: false,
        allowPrivateTargets: false,
      },
    };
    const admission = createAdmission(deps);
    this.#app = createGateway(deps, admission);
    const readAvro = avroReader<AvroCommand>(commandSchema.type, (id) => this.findSchema(id));
    const door = await openKafkaDoor({ ...deps, log: this.#watchedLog(), readAvro, topic: TOPICS.commands }, admission);
    this.#doors.push(door);
    return door;
  }

  /** The limiter, with windows that a test can wait for. */
  #shortened(): Limiter {
    const short = (limits: Limit[]) => limits.map((limit) => ({ ...limit, windowMs: this.limitWindowMs ?? limit.windowMs }));
    return {
      charge: (limits, cost) => this.#limiter.charge(short(limits), cost),
      refund: (limits, cost) => this.#limiter.refund(short(limits), cost),
      close: () => this.#limiter.close(),
    };
  }

  #watchedLog(): Pick<Log, 'append' | 'partitionOf' | 'partitionCount' | 'consume' | 'lag'> {
    const { log } = this;
    return {
      append: (topic, records) => log.append(topic, records),
      partitionOf: (topic, key) => log.partitionOf(topic, key),
      partitionCount: (topic) => log.partitionCount(topic),
      lag: (topic, group) => log.lag(topic, group),
      consume: (topic, group, handler) =>
        log.consume(topic, group, {
          assigned: (partitions) => handler.assigned(partitions),
          revoked: (partitions) => handler.revoked(partitions),
          batch: (partition, records, commit) =>
            handler.batch(partition, records, async (next) => {
              await this.beforeCommit();
              return commit(next);
            }),
        }),
    };
  }

  publish = (...records: NewRecord[]): Promise<void> => this.log.append(TOPICS.commands, records);

  /** Until the door has finished with everything that was published. */
  async taken(): Promise<void> {
    await until('the door is through', async () => (await this.log.lag(TOPICS.commands, GATEWAY_GROUP)) === 0);
  }

  /** Until every command that was handed in is decided, and what follows from it. */
  async decided(): Promise<void> {
    await this.taken();
    await until('the worker is through', async () => (await this.log.lag(TOPICS.work, 'retrigger.worker')) === 0);
    await until('what stands in the log is seen', async () => (await this.log.seen?.()) ?? true);
  }

  /** Commands from a door on the work log. */
  work(): Command[] {
    return this.log.records(TOPICS.work).flatMap((record) => {
      if (isTick(record)) return [];
      const decoded = decodeWork(record);
      if (decoded.kind === 'undecodable') throw new Error(decoded.reason);
      return decoded.command.fingerprint === undefined ? [] : [decoded.command];
    });
  }

  deadLetters = (): LogRecord[] => this.log.records(TOPICS.deadLetters);
  reasons = (): string[] => this.deadLetters().map(({ headers }) => headers.reason ?? '');

  stored = (key: string): Promise<StoredEvent[]> => this.events.read(key, { from: 1, to: 1_000, limit: 1_000, order: 'asc' });

  async history(key: string): Promise<Event[]> {
    const [tenantId = ''] = key.split('/');
    return (await this.privacy.disclosure.events(tenantId, await this.stored(key))).map(({ event }) => event);
  }

  types = async (key: string): Promise<string[]> => (await this.history(key)).map(({ eventType }) => eventType);

  async http(method: string, path: string, body?: unknown, as = 'ann') {
    if (this.#app === undefined) throw new Error('no door is open');
    const response = await this.#app.request(`http://gateway${path}`, {
      method,
      headers: { authorization: `Bearer ${keyOf(as)}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, json: (await response.json()) as JsonObject & { data: JsonObject } };
  }

  /** What a user is told of a command under the id that they gave it. */
  command = async (commandId: string, as = 'ann') =>
    (await this.http('GET', `/api/v1/commands/${commandId}?accepted=${new Date().toISOString()}`, undefined, as)).json.data as {
      state: string;
      outcome?: { status: number; body: JsonObject };
    };

  async end(): Promise<void> {
    for (const door of this.#doors) await door.stop();
    await this.#worker?.stop();
    await this.log.close();
    await this.#answers.close();
  }
}

export async function until(what: string, condition: () => boolean | Promise<boolean>, ms = 10_000): Promise<void> {
  for (const end = Date.now() + ms; !(await condition()); ) {
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
