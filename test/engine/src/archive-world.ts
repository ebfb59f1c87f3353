import type { Command } from '@retrigger/domain/command.ts';
import { NO_EVIDENCE } from '@retrigger/domain/decider.ts';
import { EMPTY_HEAD, type Head, type StoredEvent } from '@retrigger/domain/event.ts';
import { taskKey } from '@retrigger/domain/identifiers.ts';
import { headAfter, nextEvent } from '@retrigger/domain/next-event.ts';
import { taskDecider } from '@retrigger/domain/task/decider.ts';
import type { TaskEvent } from '@retrigger/domain/task/events.ts';
import { STATUSES, type TaskState } from '@retrigger/domain/task/state.ts';
import type { AnyDecider } from '@retrigger/engine/aggregate.ts';
import { type ArchivePorts, archiveTenant } from '@retrigger/engine/archive-events.ts';
import { MemoryDocumentStore } from '@retrigger/memory/memory-document-store.ts';
import { MemoryEventStore } from '@retrigger/memory/memory-event-store.ts';
import { MemorySnapshotStore } from '@retrigger/memory/memory-snapshot-store.ts';
import type { DocumentStore } from '@retrigger/ports/document-store.ts';
import type { RemovableEvents } from '@retrigger/ports/event-archive.ts';
import type { EventStore } from '@retrigger/ports/event-store.ts';
import { silent } from '@retrigger/ports/observer.ts';
import { unobserved } from '@retrigger/ports/reached.ts';
import type { SnapshotStore } from '@retrigger/ports/snapshot-store.ts';

export const DAY_MS = 86_400_000;
export const START = 1_772_000_000_000;

/** Stores with tasks that live for days, one event a day each, and archives in memory. */
export class ArchiveWorld {
  readonly events: EventStore & RemovableEvents;
  readonly snapshots: SnapshotStore;
  readonly documents: DocumentStore;
  readonly files = new Map<string, string[]>();
  /** Told before each step; a throw is a crash. */
  step: (name: string) => void = () => {};

  readonly ports: ArchivePorts;

  #ports = (): ArchivePorts => ({
    events: {
      page: (...asked) => this.events.page(...asked),
      removeFirst: async (...asked) => {
        this.step('remove');
        return this.events.removeFirst(...asked);
      },
    },
    snapshots: this.snapshots,
    documents: {
      read: (...asked) => this.documents.read(...asked),
      write: async (document) => {
        this.step('remember');
        return this.documents.write(document);
      },
    },
    archive: {
      write: async (name, lines) => {
        const written: string[] = [];
        for await (const line of lines) written.push(line);
        this.step('write');
        this.files.set(name, written);
      },
    },
    decider: taskDecider as AnyDecider,
    observer: silent,
  });

  constructor(stores?: Pick<ArchiveWorld, 'events' | 'snapshots' | 'documents'>) {
    this.events = stores?.events ?? new MemoryEventStore(unobserved);
    this.snapshots = stores?.snapshots ?? new MemorySnapshotStore(unobserved);
    this.documents = stores?.documents ?? new MemoryDocumentStore();
    this.ports = this.#ports();
  }

  /** Creates a task on the first day and patches it on each day after; returns its key. */
  async live(taskId: string, days: number): Promise<string> {
    const key = taskKey('acme', taskId);
    let head: Head = EMPTY_HEAD;
    let state: TaskState | undefined;
    const made: StoredEvent[] = [];
    for (let day = 0; day < days; day++) {
      const body = day === 0 ? { type: 'CreateTask', body: { type: 'job' } } : { type: 'ChangeTask', body: { context: { day } } };
      const header = {
        commandId: `${taskId}-${day}`,
        tenantId: 'acme',
        taskId,
        actor: { id: 'ada', type: 'user' },
        roles: [],
        correlationId: 'r',
      };
      const command = { ...header, ...body } as unknown as Command;
      const decision = taskDecider.decide(state, command, head, START + day * DAY_MS, NO_EVIDENCE);
      if (decision.kind !== 'event') throw new Error('nothing happened');
      const stored = nextEvent(head, state?.status ?? null, command, decision.event, {
        partition: 0,
        offset: day,
        at: START + day * DAY_MS,
      });
      state = taskDecider.evolve(state, stored.event as TaskEvent);
      head = headAfter(stored);
      made.push(stored);
    }
    await this.events.append(made);
    const { dueAt: _, ...lookup } = taskDecider.lookup(state as TaskState);
    await this.snapshots.save([{ key, tenantId: 'acme', taskId, partition: 0, head, state, ...lookup }]);
    return key;
  }

  /** Archives what is older than `keepDays` when so many days have passed. */
  archive = (keepDays: number, day: number): Promise<number> => {
    const now = START + day * DAY_MS;
    return archiveTenant(this.ports, 'acme', STATUSES, now - keepDays * DAY_MS, now);
  };

  stored = async (key: string): Promise<StoredEvent[]> => this.events.read(key, { from: 1, to: 10_000, limit: 10_000, order: 'asc' });

  sequences = async (key: string): Promise<number[]> => (await this.stored(key)).map(({ event }) => event.sequence);
}
