import type { WakeKind } from '@retrigger/domain/decider.ts';
import type { Head } from '@retrigger/domain/event.ts';
import { type Reached, unobserved } from '@retrigger/ports/reached.ts';
import type { Due, Snapshot, SnapshotStore } from '@retrigger/ports/snapshot-store.ts';
import type { Collection } from 'mongodb';
import { putGuarded } from './guarded-writes.ts';
import type { MongoConnection } from './mongo-client.ts';
import { partsOf } from './write-parts.ts';

/** `state` is JSON text: a task's context holds what users wrote, and `$` and `.` in its field names must come back. `sequence` is the head's, for the guard. */
export type SnapshotDocument = {
  _id: string;
  tenantId: string;
  taskId: string;
  partition: number;
  sequence: number;
  head: Head;
  state: string;
  status: string;
  type: string;
  wakeAt: number | null;
  wakeKind: WakeKind;
  waitsFor: string[];
};

type MarkDocument = { _id: string; partition: number; at: number };

export class MongoSnapshotStore implements SnapshotStore {
  readonly #mongo: MongoConnection;
  readonly #snapshots: Collection<SnapshotDocument>;
  readonly #marks: Collection<MarkDocument>;
  readonly #reached: Reached;

  constructor(mongo: MongoConnection, reached: Reached = unobserved) {
    this.#mongo = mongo;
    this.#snapshots = mongo.db.collection('snapshots');
    this.#marks = mongo.db.collection('marks');
    this.#reached = reached;
  }

  async save(snapshots: Snapshot[]): Promise<void> {
    const writes = snapshots.map((snapshot) => ({
      document: documentOf(snapshot),
      replaces: { sequence: { $lt: snapshot.head.sequence } },
    })); // S1
    for (const [index, part] of partsOf(writes, this.#reached).entries()) {
      if (index > 0) this.#reached('within-snapshots');
      await putGuarded(this.#mongo, this.#snapshots, part); // S2 by the connection's write and read concern
    }
  }

  async load(keys: string[]): Promise<Map<string, Snapshot>> {
    if (keys.length === 0) return new Map();
    const found = await this.#mongo.retry(() => this.#snapshots.find({ _id: { $in: keys } }, { batchSize: keys.length + 1 }).toArray());
    return new Map(found.map((document) => [document._id, snapshotOf(document)]));
  }

  async due(partition: number, before: number, after: Due | null, limit: number): Promise<Due[]> {
    if (limit === 0) return []; // which means no limit to MongoDB
    // The lower bound is where the index is entered; the alternatives only leave out what was given before at that same time.
    const behind =
      after === null
        ? { wakeAt: { $lt: before } }
        : { wakeAt: { $gte: after.wakeAt, $lt: before }, $or: [{ wakeAt: { $gt: after.wakeAt } }, { _id: { $gt: after.key } }] };
    const options = { projection: { wakeAt: 1, wakeKind: 1 }, sort: { wakeAt: 1, _id: 1 }, limit, batchSize: limit } as const;
    const found = await this.#mongo.retry(() => this.#snapshots.find({ partition, ...behind }, options).toArray());
    return found.flatMap(({ _id, wakeAt, wakeKind }) => (wakeAt === null ? [] : [{ key: _id, wakeAt, wakeKind }]));
  }

  async waiting(tenantId: string, taskId: string, after: string | null, limit: number): Promise<string[]> {
    if (limit === 0) return [];
    const query = { tenantId, waitsFor: taskId, ...(after === null ? {} : { taskId: { $gt: after } }) };
    const options = { projection: { taskId: 1 }, sort: { taskId: 1 }, limit, batchSize: limit } as const;
    const found = await this.#mongo.retry(() => this.#snapshots.find(query, options).toArray());
    return found.map((document) => document.taskId);
  }

  async saveMark(partition: number, at: number): Promise<void> {
    const document = { _id: String(partition), partition, at };
    await putGuarded(this.#mongo, this.#marks, [{ document, replaces: { at: { $lt: at } } }]); // never back
  }

  async marks(): Promise<Map<number, number>> {
    const found = await this.#mongo.retry(() => this.#marks.find({}).toArray());
    return new Map(found.map(({ partition, at }) => [partition, at]));
  }
}

const documentOf = ({ key, head, state, ...lookup }: Snapshot): SnapshotDocument => ({
  _id: key,
  sequence: head.sequence,
  head,
  state: JSON.stringify(state),
  ...lookup,
});

const snapshotOf = ({ _id, sequence: _, state, ...rest }: SnapshotDocument): Snapshot => ({ ...rest, key: _id, state: JSON.parse(state) });
