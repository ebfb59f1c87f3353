import { join } from 'node:path';
import type { PrivateMounts, SmallDisk } from '@retrigger/test-faults/small-disk.ts';

/** The servers whose data is on a small disk each, of so many MiB: Kafka's holds what a run writes, the store's besides what it has not compacted yet. */
const MEBIBYTES = { kafka: 512, mongo: 384 };
export const WITH_DISKS = Object.keys(MEBIBYTES);

/** Small disks by server, and where they are mounted. */
export type Disks = { mounts: PrivateMounts; of: Map<string, SmallDisk> };

/** For a cluster that is started in there afterwards. */
export async function disksFor(mounts: PrivateMounts, clusterFolder: string): Promise<Disks> {
  const of = new Map<string, SmallDisk>();
  for (const [server, mebibytes] of Object.entries(MEBIBYTES))
    of.set(server, await mounts.disk(join(clusterFolder, server, 'data'), mebibytes));
  return { mounts, of };
}
