import { hash, randomBytes } from 'node:crypto';
import { jsonEvents } from '@retrigger/contract/event-codec.ts';
import { decodeWork } from '@retrigger/contract/work-record.ts';
import type { CallQueueBounds } from '@retrigger/dispatcher/call-queue.ts';
import { createDispatcher, DISPATCHER_GROUP, type Dispatcher } from '@retrigger/dispatcher/dispatcher.ts';
import type { Command } from '@retrigger/domain/command.ts';
import { NO_EVIDENCE } from '@retrigger/domain/decider.ts';
import { EMPTY_HEAD, type Event, type Head, type StoredEvent } from '@retrigger/domain/event.ts';
import { taskKey } from '@retrigger/domain/identifiers.ts';
import { headAfter, nextEvent } from '@retrigger/domain/next-event.ts';
import { taskDecider } from '@retrigger/domain/task/decider.ts';
import type { TaskEvent } from '@retrigger/domain/task/events.ts';
import type { TaskState } from '@retrigger/domain/task/state.ts';
import { createPrivacy } from '@retrigger/engine/privacy.ts';
import { systemClock } from '@retrigger/lifecycle/system-clock.ts';
import { MemoryKeyStore } from '@retrigger/memory/memory-key-store.ts';
import { TOPICS } from '@retrigger/ports/log.ts';
import { silent } from '@retrigger/ports/observer.ts';
import type { Secrets } from '@retrigger/ports/secrets.ts';
import type { Snapshot, SnapshotStore } from '@retrigger/ports/snapshot-store.ts';
import { LogStorage, LoopbackLog, type Trouble } from './loopback-log.ts';

export const TENANT = 'acme';
export const secrets: Secrets = { derive: (...parts) => hash('sha256', parts.join('/'), 'buffer') };

export const bodyOf = (text: string) => JSON.parse(text) as { executionId: string; taskId: string };

/** A task system around the dispatcher: what the worker would do is done by hand, with the real decider. */
export class World {
  readonly storage = new LogStorage();
  readonly keys = new MemoryKeyStore();
  readonly #snapshots = new Map<string, Snapshot<TaskState>>();
  readonly #dispatchers: { dispatcher: Dispatcher; log: LoopbackLog }[] = [];
  #settled = 0;
  #made = 0;
  /** Replaces what a load of snapshots gives. */
  readSnapshot: (key: string) => Snapshot | undefined = (key) => this.#snapshots.get(key);

  /** Decides a command as the worker does: the snapshot is saved, then the event is told. */
  decide(taskId: string, body: Pick<Command, 'type' | 'body'>, commandId = `command-${this.#made++}`): Event | undefined {
    const key = taskKey(TENANT, taskId);
    const before = this.#snapshots.get(key);
    const head: Head = before?.head ?? EMPTY_HEAD;
    const command = {
      commandId,
      tenantId: TENANT,
      taskId,
      actor: { id: 'ann', type: 'user' },
      roles: ['admin'],
      correlationId: `about-${taskId}`,
      ...body,
    } as Command;
    const position = { partition: 0, offset: this.#made++, at: Date.now() };
    const decision = taskDecider.decide(before?.state, command, head, position.at, NO_EVIDENCE);
    if (decision.kind !== 'event') return undefined;
    const stored: StoredEvent = nextEvent(head, before?.status ?? null, command, decision.event, position);
    const state = taskDecider.evolve(before?.state, stored.event as TaskEvent);
    if (state === undefined) throw new Error(`${stored.event.eventType} leaves no task`);
    this.#snapshots.set(key, { key, tenantId: TENANT, taskId, partition: 0, head: headAfter(stored), state, ...taskDecider.lookup(state) });
    this.storage.add(TOPICS.events, [{ key, value: Buffer.from(stored.json), headers: { eventType: stored.event.eventType, commandId } }]);
    return stored.event;
  }

  /** A task with a target (or none) that is triggered; its executionId. */
  trigger(
    taskId: string,
    target?: { url: string; method?: string; headers?: { [name: string]: string }; timeout?: string },
    deadline?: string,
  ): string {
    const body = {
      type: 'deploy',
      context: { of: taskId },
      ...(target === undefined ? {} : { target }),
      ...(deadline === undefined ? {} : { deadline }),
    };
    if (!this.#snapshots.has(taskKey(TENANT, taskId))) this.decide(taskId, { type: 'CreateTask', body });
    const event = this.decide(taskId, { type: 'TriggerTask', body: {} });
    return String(event?.metadata.executionId);
  }

  snapshot = (taskId: string): Snapshot<TaskState> | undefined => this.#snapshots.get(taskKey(TENANT, taskId));

  /** The commands that were reported so far. */
  reports(taskId?: string): Command[] {
    return this.storage.records(TOPICS.work).flatMap((record) => {
      const decoded = decodeWork(record);
      if (decoded.kind === 'undecodable') throw new Error(decoded.reason);
      return taskId === undefined || decoded.command.taskId === taskId ? [decoded.command] : [];
    });
  }

  reportTypes = (taskId: string): string[] => this.reports(taskId).map(({ type }) => type);

  /** Decides the reports that stand in the work log. */
  settle(): void {
    for (const { type, body, taskId, commandId } of this.reports().slice(this.#settled)) {
      this.#settled++;
      this.decide(taskId, { type, body } as Pick<Command, 'type' | 'body'>, commandId);
    }
  }

  committed = (): number => this.storage.offsets.get(`${DISPATCHER_GROUP} ${TOPICS.events}`) ?? 0;
  eventCount = (): number => this.storage.records(TOPICS.events).length;
  /** The offset of the event that triggered a task last. */
  offsetOf = (taskId: string): number =>
    this.storage
      .records(TOPICS.events)
      .findLastIndex(({ key, headers }) => key === taskKey(TENANT, taskId) && headers.eventType === 'TaskTriggered');

  async dispatch(
    options: {
      trouble?: Trouble;
      bounds?: CallQueueBounds;
      drainMs?: number;
      heartbeatEveryMs?: number;
      allowPrivateTargets?: boolean;
      typeConcurrency?: ReadonlyMap<string, number>;
    } = {},
  ) {
    const log = new LoopbackLog(this.storage, options.trouble);
    const snapshots: SnapshotStore = {
      load: async (keys) =>
        new Map(keys.flatMap((key) => [this.readSnapshot(key)].flatMap((found) => (found ? [[key, found] as const] : [])))),
      save: async () => {},
      due: async () => [],
      waiting: async () => [],
      list: async () => [],
      claimable: async () => [],
      saveMark: async () => {},
      marks: async () => new Map(),
    };
    const { allowPrivateTargets = true, drainMs = 0, bounds, heartbeatEveryMs = 60_000, typeConcurrency } = options;
    const deps = {
      log,
      snapshots,
      eventCodec: jsonEvents,
      secrets,
      privacy: createPrivacy({ keys: this.keys, secrets, snapshots, clock: systemClock, freshBytes: randomBytes }),
      clock: systemClock,
      observer: silent,
      allowPrivateTargets,
      drainMs,
      heartbeatEveryMs,
      ...(bounds ? { bounds } : {}),
      ...(typeConcurrency ? { typeConcurrency } : {}),
    };
    const dispatcher = await createDispatcher(deps);
    const started = { dispatcher, log };
    this.#dispatchers.push(started);
    return started;
  }

  /** Ends what still runs; of a process that was killed there is nothing to wait for. */
  async end(): Promise<void> {
    for (const { dispatcher, log } of this.#dispatchers) {
      const stopped = dispatcher.stop();
      if (!log.isDead) await stopped;
    }
  }
}
