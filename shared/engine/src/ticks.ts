import { type Log, type NewRecord, TOPICS } from '@retrigger/ports/log.ts';

const TICK_KEY = /^tick\.\d+$/;

/**
 * A record of the work log that asks for nothing: its place in the log is the news. Its key names no task, for it has no slash.
 */
const tick = (key: string): NewRecord => ({ key, value: new Uint8Array(0), headers: {} });

export const isTick = ({ key, value }: NewRecord): boolean => value.byteLength === 0 && TICK_KEY.test(key);

/** A tick for each partition of the work log: keys are tried until each partition has one. */
export function ticksOf(log: Pick<Log, 'partitionOf' | 'partitionCount'>): NewRecord[] {
  const ticks: NewRecord[] = [];
  const count = log.partitionCount(TOPICS.work);
  for (let found = 0, i = 0; found < count; i++) {
    const key = `tick.${i}`;
    const partition = log.partitionOf(TOPICS.work, key);
    if (ticks[partition] !== undefined) continue;
    ticks[partition] = tick(key);
    found++;
  }
  return ticks;
}
