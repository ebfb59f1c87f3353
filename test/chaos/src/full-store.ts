import { eventually } from '@retrigger/test-faults/client.ts';
import type { SmallDisk } from '@retrigger/test-faults/small-disk.ts';
import type { Recorder } from './recorder.ts';
import type { System } from './system.ts';

/** So many commands are answered before, so that there is something to be half-written. */
const SOME = 40;
const FULL_MS = 5_000;

/**
 * The disk of the store gets full while it is used: commands are refused, every process names the store as what is away, and when there is room and the store
 * was started again, as a supervisor does, nothing else needs a hand. What was half-written the judge of the round would find.
 */
export async function fullStore(system: System, disk: SmallDisk, recorder: Recorder): Promise<string> {
  await eventually('commands are answered', async () => recorder.acknowledged.length >= SOME, 90_000);
  disk.fill();
  const isRefused = async (door: string) => {
    const headers = { authorization: `Bearer ${system.firstKey}`, 'content-type': 'application/json' };
    const answer = await fetch(`${door}/api/v1/tasks`, { method: 'POST', headers, body: '{"type":"probe"}' }).catch(() => undefined);
    return answer?.status === 503 && answer.headers.has('retry-after');
  };
  await eventually(
    'every gateway refuses a new command',
    async () => (await Promise.all(system.doors.map(isRefused))).every(Boolean),
    60_000,
  );
  await Promise.all(
    [...system.services.values()].map(async (service) => {
      let told = '';
      const isNamed = async () => {
        const answer = await service.readiness();
        told = `${answer?.status} ${answer?.text}`;
        return answer?.status === 503 && answer.text.includes('"mongodb":"down"');
      };
      await eventually(`${service.name} names the store`, isNamed, 60_000).catch((error: unknown) => {
        throw new Error(`${error}; it said ${told}`);
      });
    }),
  );
  await new Promise((resolve) => setTimeout(resolve, FULL_MS));
  disk.makeRoom();
  await system.startServer('mongo');
  return 'the store’s disk was full';
}
