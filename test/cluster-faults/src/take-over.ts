import { partitionOfKey } from '@retrigger/kafka/murmur2.ts';
import { PARTITIONS } from '@retrigger/test-cluster/installation.ts';
import type { Client } from '@retrigger/test-faults/client.ts';

/** A task id on each partition that nobody has used. */
function taskOnEachPartition(round: string): string[] {
  const found = new Map<number, string>();
  for (let n = 0; found.size < PARTITIONS; n++) {
    const taskId = `${round}-${n}`;
    const partition = partitionOfKey(Buffer.from(`default/${taskId}`), PARTITIONS);
    if (!found.has(partition)) found.set(partition, taskId);
  }
  return [...found.values()];
}

/** Sends a command to every partition; resolves, when all are decided, with how many milliseconds that took. `round` tells one call from another. */
export async function everyPartitionDecides(door: Client, round: string): Promise<number> {
  const sentAt = performance.now();
  await Promise.all(
    taskOnEachPartition(round).map(async (taskId) => {
      for (let status = 0; status !== 201; ) {
        const reply = await door.send('POST', '/api/v1/tasks', { taskId, type: 'probe' }, taskId).catch(() => ({ status: 0, text: '' }));
        status = reply.status;
        if (![0, 201, 202, 503].includes(status)) throw new Error(`${taskId}: ${status} ${reply.text}`);
        if (status !== 201) await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }),
  );
  return Math.round(performance.now() - sentAt);
}
