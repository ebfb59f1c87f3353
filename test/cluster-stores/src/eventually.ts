import { setTimeout as pause } from 'node:timers/promises';

/** Polls until `holds` does, for at most 60 s. */
export async function eventually(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`not within 60 s: ${what}`);
    await pause(20);
  }
}
