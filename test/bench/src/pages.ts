import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unobserved } from '@retrigger/ports/reached.ts';
import { openSqliteStore } from '@retrigger/sqlite/sqlite-store.ts';
import { generated, LARGE_TASK } from './history-events.ts';
import { now, type Percentiles, percentiles } from './load.ts';
import { STANDALONE, type Subject, startSubject } from './subject.ts';
import { until } from './systems/worker-process.ts';

/** Writes a history of many tasks, one of which has `large` events, into a folder that a subject can be started on. */
export async function writeHistory(folder: string, events: number, tasks: number, large: number): Promise<void> {
  const store = openSqliteStore(join(folder, 'store.db'), unobserved);
  const batches = generated(events, tasks, large, 1);
  let next = batches.next();
  for (; !next.done; next = batches.next()) await store.events.append(next.value);
  await store.snapshots.save([...next.value.values()]);
  await store.close();
}

export type PageFigures = { taskMs: Percentiles; tenantMs: Percentiles };

/** Pages of 1,000 along the cursor, of a task with 10,000 events and of its tenant, out of so many. `npm run bench:history` measures 1,000,000 and every filter. */
export async function measurePages(events: number): Promise<PageFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'retrigger-bench-'));
  await writeHistory(folder, events, Math.max(2, events / 100), 10_000);
  const subject = await startSubject(STANDALONE, 1, { RETRIGGER_DATA_DIR: folder });
  try {
    await until('every partition has its mark', async () => (await subject.get('/api/v1/events?pageSize=1')).includes('"eventId"'));
    const task = `/api/v1/tasks/${LARGE_TASK}/events`;
    await walk(subject, task, 20);
    return { taskMs: await walk(subject, task, 200), tenantMs: await walk(subject, '/api/v1/events', 100) };
  } finally {
    await subject.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Begins anew at the end. */
async function walk(subject: Subject, path: string, pages: number): Promise<Percentiles> {
  const times: number[] = [];
  for (let cursor = ''; times.length < pages; ) {
    const from = now();
    const text = await subject.get(`${path}?pageSize=1000&cursor=${cursor}`);
    times.push(now() - from);
    cursor = JSON.parse(text).data.pageInfo.nextCursor ?? '';
  }
  return percentiles(times);
}
