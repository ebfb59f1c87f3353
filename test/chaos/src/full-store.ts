import type { SmallDisk } from '@retrigger/test-faults/small-disk.ts';
import { eventually } from '@retrigger/test-gateway/eventually.ts';
import type { Recorder } from './recorder.ts';
import type { System } from './system.ts';

/** So many commands are answered before, so that there is something to be half-written. */
const SOME = 40;
const FULL_MS = 5_000;
const PROBE_MS = 10_000;
/** What has not happened by then never does. */
const WITHIN_MS = 120_000;

/**
 * The disk of the store gets full while it is used: commands are refused, every process names the store as what is away, and when there is room and the store
 * was started again, as a supervisor does, nothing else needs a hand. What was half-written the judge of the round would find.
 */
export async function fullStore(system: System, disk: SmallDisk, recorder: Recorder): Promise<string> {
  await eventually('commands are answered', async () => recorder.acknowledged.length >= SOME, WITHIN_MS);
  disk.fill();
  const isRefused = async (door: string) => {
    const headers = { authorization: `Bearer ${system.firstKey}`, 'content-type': 'application/json' };
    const probe = { method: 'POST', headers, body: '{"type":"probe"}', signal: AbortSignal.timeout(PROBE_MS) };
    const answer = await fetch(`${door}/api/v1/tasks`, probe).catch(() => undefined);
    await answer?.text().catch(() => {});
    return answer?.status === 503 && answer.headers.has('retry-after');
  };
  await eventually(
    'every gateway refuses a new command',
    async () => (await Promise.all(system.doors.map(isRefused))).every(Boolean),
    WITHIN_MS,
  );
  await Promise.all(
    [...system.services.values()].map(async (service) => {
      let told = '';
      const isNamed = async () => {
        const answer = await service.readiness();
        told = `${answer?.status} ${answer?.text}`;
        return answer?.status === 503 && answer.text.includes('"mongodb":"down"');
      };
      await eventually(`${service.name} names the store`, isNamed, WITHIN_MS).catch((error: unknown) => {
        throw new Error(`${error}; it said ${told}`);
      });
    }),
  );
  await new Promise((resolve) => setTimeout(resolve, FULL_MS));
  disk.makeRoom();
  await system.cluster('start', 'mongo');
  return 'the store’s disk was full';
}
