import type { WakeKind } from '@retrigger/domain/decider.ts';
import type { Head } from '@retrigger/domain/event.ts';
import { type Reached, unobserved } from '@retrigger/ports/reached.ts';
import type { Claimable, Due, Mark, Snapshot, SnapshotStore, TaskFilter, TaskPlace } from '@retrigger/ports/snapshot-store.ts';
import type { Collection, Filter } from 'mongodb';
import { putGuarded } from './guarded-writes.ts';
import { foundInOneTurn, inOneTurn } from './in-one-turn.ts';
import type { MongoConnection } from './mongo-client.ts';
import { duplicatesIn } from './mongo-errors.ts';
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
  claimableSince: number | null;
};

type MarkDocument = { _id: string; partition: number } & Mark;

export class MongoSnapshotStore implements SnapshotStore {
  readonly #mongo: MongoConnection;
  readonly #snapshots: Collection<SnapshotDocument>;
  readonly #marks: Collection<MarkDocument>;
  readonly #reached: Reached;
  readonly #raiseInOneTurn = inOneTurn((asked: { partition: number; mark: Mark }[]) => this.#raise(asked));

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

  load = foundInOneTurn<Snapshot>(async (keys) => {
    const found = await this.#mongo.retry(() => this.#snapshots.find({ _id: { $in: keys } }, { batchSize: keys.length + 1 }).toArray());
    return new Map(found.map((document) => [document._id, snapshotOf(document)]));
  });

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

  /** One query a status, each in the index's order: a status is an equality there, a list of them would be sorted in memory by some servers. */
  async list(tenantId: string, { statuses, type }: TaskFilter, after: TaskPlace | null, limit: number): Promise<Snapshot[]> {
    if (limit === 0) return [];
    const behind = placesBehind(type, after);
    const sort: { [field: string]: 1 } = type === undefined ? { type: 1, taskId: 1 } : { taskId: 1 };
    const found = await Promise.all(
      statuses.map((status) =>
        this.#mongo.retry(() => this.#snapshots.find({ tenantId, status, ...behind }, { sort, limit, batchSize: limit }).toArray()),
      ),
    );
    const unique = new Map(found.flat().map((document) => [document._id, document])); // its status may have changed between two of the queries
    const merged = [...unique.values()].sort((a, b) => compare(a.type, b.type) || compare(a.taskId, b.taskId));
    return merged.slice(0, limit).map(snapshotOf);
  }

  async claimable(tenantId: string, type: string, limit: number): Promise<Claimable[]> {
    if (limit === 0) return [];
    const query = { tenantId, type, claimableSince: { $gte: 0 } }; // a range of numbers: null is none of them
    const sort = { claimableSince: 1, taskId: 1 } as const;
    const options = { projection: { taskId: 1, claimableSince: 1 }, sort, limit, batchSize: limit } as const;
    const found = await this.#mongo.retry(() => this.#snapshots.find(query, options).toArray());
    return found.flatMap(({ taskId, claimableSince: since }) => (since === null ? [] : [{ taskId, since }]));
  }

  saveMark(partition: number, mark: Mark): Promise<void> {
    return this.#raiseInOneTurn({ partition, mark });
  }

  /** S3. */
  async #raise(asked: { partition: number; mark: Mark }[]): Promise<void> {
    const operations = asked.map(({ partition, mark: { at, newest } }) => ({
      updateOne: { filter: { _id: String(partition) }, update: { $max: { at, newest }, $setOnInsert: { partition } }, upsert: true },
    }));
    const raise = () => this.#mongo.retry(() => this.#marks.bulkWrite(operations, { ordered: false }).then(() => [], duplicatesIn));
    if ((await raise()).length > 0) await raise(); // another made one at the same moment
  }

  async marks(): Promise<Map<number, Mark>> {
    const found = await this.#mongo.retry(() => this.#marks.find({}).toArray());
    return new Map(found.map(({ partition, at, newest }) => [partition, { at, newest: newest ?? 0 }]));
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function placesBehind(type: string | undefined, after: TaskPlace | null): Filter<SnapshotDocument> {
  if (type !== undefined) return after === null ? { type } : { type, taskId: { $gt: after.taskId } };
  return after === null ? {} : { type: { $gte: after.type }, $or: [{ type: { $gt: after.type } }, { taskId: { $gt: after.taskId } }] };
}

const documentOf = ({ key, head, state, ...lookup }: Snapshot): SnapshotDocument => ({
  _id: key,
  sequence: head.sequence,
  head,
  state: JSON.stringify(state),
  ...lookup,
});

/** Documents of before have no `claimableSince`. */
const snapshotOf = ({ _id, sequence: _, state, claimableSince = null, ...rest }: SnapshotDocument): Snapshot => ({
  ...rest,
  claimableSince,
  key: _id,
  state: JSON.parse(state),
});
