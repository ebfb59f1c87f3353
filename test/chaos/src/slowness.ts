import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** So long Node takes to start where nothing else runs, at the most. */
const START_MS = 50;
const MOST = 2;
const MEASURED_EVERY_MS = 2_000;
const REMEMBERED_MS = 60_000;

const measures: { at: number; times: Promise<number> }[] = [];

/**
 * How many times longer than where nothing else runs processes have taken to start on this machine within a minute: from 1 to 2. What is promised within a time
 * is waited for that much longer, so that a machine that is full breaks no promise.
 */
export async function slowness(): Promise<number> {
  const now = performance.now();
  if (now - (measures.at(-1)?.at ?? Number.NEGATIVE_INFINITY) > MEASURED_EVERY_MS) measures.push({ at: now, times: measured(now) });
  while (now - (measures[0]?.at ?? now) > REMEMBERED_MS) measures.shift();
  return Math.max(...(await Promise.all(measures.map(({ times }) => times))));
}

async function measured(begun: number): Promise<number> {
  await once(spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' }), 'exit');
  return Math.min(MOST, Math.max(1, (performance.now() - begun) / START_MS));
}
