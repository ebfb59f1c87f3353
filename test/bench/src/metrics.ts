import { now } from './load.ts';
import type { Subject } from './subject.ts';

/** Records that were decided, and in how many batches, since the process began; or what went into the writes of a cluster's store, and how many these were. */
export async function batchesOf(
  subject: Pick<Subject, 'get'>,
  what: 'batch_size_records' | 'write_size_events' = 'batch_size_records',
): Promise<{ records: number; batches: number }> {
  const text = await subject.get('/metrics');
  const read = (part: string) => Number(new RegExp(`^${what}_${part}(?:\\{[^}]*\\})? ([\\d.e+]+)`, 'm').exec(text)?.[1] ?? 0);
  return { records: read('sum'), batches: read('count') };
}

/** Until so many completions are stored, as the metrics count them. */
export async function completionsStored(subject: Pick<Subject, 'get'>, count: number): Promise<void> {
  for (const end = now() + 120_000; now() < end; ) {
    const stored = /events_total\{[^}]*type="TaskCompleted"[^}]*\} (\d+)/.exec(await subject.get('/metrics'))?.[1];
    if (Number(stored) >= count) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`not ${count} completions within two minutes`);
}
