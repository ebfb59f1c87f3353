import { randomInt, randomUUID } from 'node:crypto';

const POLL_MS = 5;

/** Polls until `read` gives something other than undefined or false. @throws Error with `what` after `timeoutMs`. */
export async function eventually<T>(what: string, timeoutMs: number, read: () => T | Promise<T>): Promise<Exclude<T, undefined | false>> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const found = await read();
    if (found !== undefined && found !== false) return found as Exclude<T, undefined | false>;
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** A name that no other test has used, so that suites can run against a server that is shared. */
export const unique = (word: string): string => `${word}-${randomUUID().slice(0, 8)}`;

/** A partition that no other test has used. */
export const freePartition = (): number => randomInt(1_000, 2 ** 31);

/** A promise and the function that resolves it. */
export function gate(): { opened: Promise<void>; open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}
