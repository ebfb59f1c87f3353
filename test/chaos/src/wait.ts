import type { Violation } from '@retrigger/test-history/recorded.ts';
import type { Outside } from './outside.ts';
import { forEach, type Reader } from './reader.ts';
import type { Recorder } from './recorder.ts';
import { slowness } from './slowness.ts';

/**
 * What is waited for: `left` says what is still missing; nothing when it has come. While it rejects, that is missing. `withinMs`: of the time since everything is
 * whole, on a machine that is not full.
 */
export type Awaited = { what: string; left: () => Promise<string[]>; withinMs: number };

/** As the README has it. */
export const SETTLED_WITHIN_MS = 60_000;
/** An executor whose claim was lost together with its answer is given up after a minute of silence, and the attempt made again. */
export const AFTER_SILENCE_MS = SETTLED_WITHIN_MS + 75_000;
const LOOK_EVERY_MS = 250;
const QUIET_MS = 2_000;

/** Waits for one after the other, and says when each had come; what has not in its time is a violation. */
export async function waitForAll(
  all: Awaited[],
  wholeSince: number,
  timesSlower = slowness,
): Promise<{ wrong: Violation[]; took: string[] }> {
  const [wrong, took]: [Violation[], string[]] = [[], []];
  for (const { what, left, withinMs } of all) {
    for (;;) {
      const open = await left().catch((error: unknown) => [String(error)]);
      const passedMs = performance.now() - wholeSince;
      if (open.length === 0) {
        took.push(`${what} after ${(passedMs / 1_000).toFixed(1)} s`);
        break;
      }
      if (passedMs > withinMs / 2 && passedMs > withinMs * (await timesSlower())) {
        wrong.push(...open.map((one) => `not so ${(passedMs / 1_000).toFixed(0)} s after the last fault: ${what}: ${one}`));
        break;
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  }
  return { wrong, took };
}

/** Tasks that must be run; those of executors that may have lost a claim have their silence besides. */
export function tasksToRun({ tasks }: Recorder, reader: Reader): Awaited[] {
  const open = new Set([...tasks].flatMap(([key, wanted]) => (wanted === 'run' ? [key] : [])));
  const isGiven = (key: string) => key.includes('isClaimed') || key.includes('isConsumed');
  const left = (which: (key: string) => boolean) => async () => {
    const found: string[] = [];
    await forEach([...open].filter(which), async (key) => {
      const task = await reader.task(key);
      if (task.status === 'Completed') open.delete(key);
      else found.push(`${key} is ${JSON.stringify(task)}`);
    });
    return found;
  };
  return [
    { what: 'every task with a target has run', left: left((key) => !isGiven(key)), withinMs: SETTLED_WITHIN_MS },
    { what: 'every task without one has', left: left(isGiven), withinMs: AFTER_SILENCE_MS },
  ];
}

/** Whether nothing is under way before and after a while in which subscribers hear nothing new: what is read then is one state, whoever was late before. */
export function stillness(underWay: () => Promise<string[]>, news: Outside['news'], forMs = QUIET_MS): () => Promise<string[]> {
  const count = () => [...news.values()].reduce((sum, { length }) => sum + length, 0);
  return async () => {
    const before = await underWay();
    const heard = count();
    await new Promise((resolve) => setTimeout(resolve, forMs));
    const more = count() - heard;
    return [...before, ...(await underWay()), ...(more === 0 ? [] : [`${more} more came`])];
  };
}
