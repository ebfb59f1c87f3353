import type { Db } from 'mongodb';
import { INDEXES, type Row, snapshot } from './row.ts';

export const SNAPSHOTS = 100_000;
const EVENTS_PER_TASK = 10;

interface Speed {
  readonly name: string;
  readonly limitMs: number;
  /** Gives the median in milliseconds. */
  readonly run: () => Promise<number>;
}

async function median(times: number, work: () => Promise<unknown>): Promise<number> {
  const taken: number[] = [];
  for (let i = 0; i < times; i++) {
    const start = performance.now();
    await work();
    taken.push(performance.now() - start);
  }
  return taken.sort((a, b) => a - b)[Math.floor(times / 2)] ?? Number.NaN;
}

/** 100,000 snapshots with the store's indexes, and ten events for every tenth of them. */
export async function fill(db: Db): Promise<string> {
  const snapshots = db.collection<Row>('snapshots');
  const events = db.collection<Row>('events');
  await snapshots.createIndexes([...INDEXES]);
  const start = performance.now();
  for (let i = 0; i < SNAPSHOTS; i += 1_000) {
    const rows = Array.from({ length: 1_000 }, (_, k) => snapshot(i + k));
    await snapshots.insertMany(rows, { ordered: false });
    const history = rows.filter((_, k) => k % 10 === 7).flatMap((row) => eventsOf(row._id));
    await events.insertMany(history, { ordered: false });
  }
  return `${Math.round((2 * SNAPSHOTS * 1_000) / (performance.now() - start))} documents/s`;
}

function eventsOf(id: string): Row[] {
  return Array.from({ length: EVENTS_PER_TASK }, (_, n) => ({ _id: `${id}/${String(n + 1).padStart(12, '0')}`, note: 'x'.repeat(600) }));
}

export function speeds(db: Db): Speed[] {
  const snapshots = db.collection<Row>('snapshots');
  const events = db.collection<Row>('events');
  const picks = (step: number): string[] => Array.from({ length: 100 }, (_, k) => snapshot((k * step + 17) % SNAPSHOTS)._id);
  const after = (id: string) => ({ _id: { $gt: `${id}/000000000003`, $lt: `${id}0` } });
  const tail = (id: string) => events.find(after(id)).sort({ _id: 1 }).limit(100).toArray();
  const load = (step: number) => snapshots.find({ _id: { $in: picks(step) } }).toArray();
  let next = 0;
  const save = (_id: string) => ({
    updateOne: { filter: { _id, version: { $lt: ++next + 1 } }, update: { $set: { version: next + 1, wakeAt: next } }, upsert: true },
  });
  const newEvents = (n: number): Row[] => Array.from({ length: n }, () => ({ _id: `new/${next++}`, note: 'x'.repeat(600) }));
  const speed = (name: string, limitMs: number, work: () => Promise<unknown>): Speed => ({ name, limitMs, run: () => median(15, work) });
  return [
    speed('100 snapshots by _id $in', 50, () => load(977)),
    speed('one tail by a range of _id', 50, () => tail('t7/task-17')),
    speed('100 snapshots, then one tail', 50, () => load(313).then(() => tail('t7/task-17'))),
    speed('100 tails, each its own query', 200, () => Promise.all(picks(970).map(tail))),
    speed('100 tails in one $or', 200, () => events.find({ $or: picks(970).map(after) }).toArray()),
    speed('a page of 100 out of all, by _id', 50, () =>
      snapshots
        .find({ _id: { $gt: 't5' } })
        .sort({ _id: 1 })
        .limit(100)
        .toArray(),
    ),
    speed('due tasks of one partition', 50, () =>
      snapshots
        .find({ partition: 4, wakeAt: { $lte: 5_000 } })
        .sort({ wakeAt: 1 })
        .limit(100)
        .toArray(),
    ),
    speed('who waits for a task', 50, () => snapshots.find({ tenantId: 't0', waitsFor: 'task-50002' }).toArray()),
    speed('a page by tenant, status, type', 50, () =>
      snapshots.find({ tenantId: 't0', status: 'Running', type: 'type-2' }).limit(100).toArray(),
    ),
    speed('insert of one event', 20, () => events.insertMany(newEvents(1))),
    speed('insertMany of 100 events', 100, () => events.insertMany(newEvents(100), { ordered: false })),
    speed('100 guarded snapshot saves in one bulkWrite', 100, () => snapshots.bulkWrite(picks(977).map(save), { ordered: false })),
  ];
}
