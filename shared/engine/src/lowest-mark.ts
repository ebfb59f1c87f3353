import type { SnapshotStore } from '@retrigger/ports/snapshot-store.ts';

/**
 * Where tenant-wide pages and the live stream end: the lowest mark over all partitions, in epoch ms.
 * M1: every event with a timestamp before it is stored, and none will come, whatever partition its task is on (T1 to T4 in housekeeping.ts). A partition that nobody has
 * owned yet has no mark and may hold anything, so until it has one nothing is shown; its first owner gives it one within half a second.
 * M2: it is read before the events are: what it promises is then there to be read.
 */
export async function lowestMark(snapshots: Pick<SnapshotStore, 'marks'>, partitions: number): Promise<number> {
  const marks = await snapshots.marks();
  let lowest = Number.POSITIVE_INFINITY;
  for (let partition = 0; partition < partitions; partition++) lowest = Math.min(lowest, marks.get(partition)?.at ?? 0);
  return lowest;
}
