import { type Planned, wordsFor } from './plan.ts';

/** By how much a fault that takes no time may be late. */
const LATE_MS = 500;

/**
 * Begins each fault at its time and calls what `begin` resolved with when its time is over; resolves when all have ended, with how many there were. To end one can take longer than is
 * planned between two (a server starts): the next on the same begins when the one before has ended, and not at all once its own time is over.
 */
export async function carryOut(
  plan: Planned[],
  begin: (fault: Planned) => Promise<(() => unknown) | undefined>,
  say: (line: string) => void,
): Promise<number> {
  const beganAt = performance.now();
  const passedMs = () => performance.now() - beganAt;
  const until = (atMs: number) => new Promise((resolve) => setTimeout(resolve, Math.max(0, atMs - passedMs())));
  let begun = 0;
  const last = new Map<string, Promise<void>>();
  const one = async (fault: Planned, before: Promise<void> | undefined) => {
    const endsMs = fault.atMs + fault.lastsMs;
    await until(fault.atMs);
    await before;
    if (passedMs() > Math.max(endsMs, fault.atMs + LATE_MS)) return say(`too late for ${wordsFor(fault)}`);
    say(wordsFor(fault));
    const end = await begin(fault);
    if (end !== undefined) begun++; // or it can't be done here
    await until(endsMs);
    await end?.();
  };
  const all = plan.map((fault) => {
    const carried = one(fault, last.get(fault.on));
    last.set(fault.on, carried);
    return carried;
  });
  await Promise.all(all);
  return begun;
}
