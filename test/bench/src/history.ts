// npm run bench:history [-- --events 1000000 --tasks 10000 --large 10000 --requests 200 --folder DIR]
// Pages, filters, totals and exports of a long history, over HTTP against the embedded profile, and the memory that an export takes.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { seeded } from '@retrigger/test-scaling/seeded.ts';
import { LARGE_TASK } from './history-events.ts';
import { percentiles } from './load.ts';
import { processorMs } from './machine.ts';
import { writeHistory } from './pages.ts';
import { STANDALONE, type Subject, startSubject } from './subject.ts';

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '1000000' },
    tasks: { type: 'string', default: '10000' },
    large: { type: 'string', default: '10000' },
    requests: { type: 'string', default: '200' },
    folder: { type: 'string' },
  },
});
const [events, tasks, large, requests] = [Number(values.events), Number(values.tasks), Number(values.large), Number(values.requests)];
const SETTLE_MS = 2_000;

const folder = values.folder ?? mkdtempSync(join(tmpdir(), 'retrigger-history-'));
mkdirSync(folder, { recursive: true });
if (!existsSync(join(folder, 'store.db'))) await fill();
const subject = await startSubject(STANDALONE, 1, { RETRIGGER_DATA_DIR: folder });
try {
  await measure(subject);
} finally {
  await subject.stop();
  if (values.folder === undefined) rmSync(folder, { recursive: true, force: true });
}

async function fill(): Promise<void> {
  const begun = performance.now();
  await writeHistory(folder, events, tasks, large);
  const megabytes = Math.round(statSync(join(folder, 'store.db')).size / 1e6);
  say(`${events} events of ${tasks} tasks written in ${Math.round((performance.now() - begun) / 1_000)} s; store.db ${megabytes} MB`);
}

type Page = { data: { events: { timestamp: string }[]; total: number; pageInfo: { nextCursor: string | null } } };

async function measure(subject: Subject): Promise<void> {
  const get = async (path: string): Promise<Page['data']> => (JSON.parse(await subject.get(`/api/v1${path}`)) as Page).data;
  while ((await get('/events?pageSize=1')).events.length === 0) await pause(50); // until every partition has its mark
  const chance = seeded(2);
  const day = () => `2026-01-${String(1 + Math.floor(chance() * 30)).padStart(2, '0')}`;
  const instant = () => new Date(Date.UTC(2026, 0, 1) + Math.floor(chance() * 30 * 86_400_000)).toISOString();
  const actor = () => `user-${Math.floor(chance() * 50)}`;
  const type = () => ['TaskTriggered', 'TaskFailed', 'TaskCompleted', 'CommandRefused', 'TaskCreated'][Math.floor(chance() * 5)];
  const one = `/tasks/${LARGE_TASK}/events?pageSize=1000`;
  const all = '/events?pageSize=1000';
  await walk('task of 10,000: pages of 1,000 along the cursor', one);
  await timed('task of 10,000: page of 1,000, by type', () => `${one}&types=${type()}`);
  await timed(
    'task of 10,000: page of 1,000, by type and instant, each asked for the first time',
    () => `${one}&types=${type()}&from=${instant()}`,
  );
  await walk('tenant: pages of 1,000 along the cursor', all);
  await walk('tenant: pages of 1,000 along the cursor, newest first', `${all}&order=desc`);
  await walk('tenant: pages of 1,000 along the cursor, by type', `${all}&types=TaskFailed`);
  await timed('tenant: page of 1,000, by type', () => `${all}&types=${type()}`);
  await timed('tenant: page of 1,000, by actor', () => `${all}&actor=${actor()}`);
  await timed('tenant: page of 1,000, by actor and type', () => `${all}&actor=${actor()}&types=${type()}`);
  await timed('tenant: page of 1,000, by day', () => `${all}&from=${day()}&to=${day()}`);
  await timed(
    'tenant: page of 1,000, by type and instant, each asked for the first time',
    () => `${all}&types=${type()}&from=${instant()}`,
  );
  await timed('tenant: page of 1,000, from an instant, each asked for the first time', () => `${all}&from=${instant()}`);
  for (const format of ['jsonl', 'csv']) await exported(format);

  async function timed(what: string, path: () => string): Promise<void> {
    const begun = processorMs(subject.pid);
    const times: number[] = [];
    for (let i = 0; i < requests; i++) times.push((await time(() => subject.get(`/api/v1${path()}`))).ms);
    report(what, times, processorMs(subject.pid) - begun);
  }

  async function walk(what: string, path: string): Promise<void> {
    const begun = processorMs(subject.pid);
    const times: number[] = [];
    for (let cursor: string | null = ''; cursor !== null && times.length < requests; ) {
      const { ms, result }: { ms: number; result: string } = await time(() => subject.get(`/api/v1${path}&cursor=${cursor}`));
      times.push(ms);
      cursor = (JSON.parse(result) as Page).data.pageInfo.nextCursor;
    }
    report(what, times, processorMs(subject.pid) - begun);
  }

  async function exported(format: string): Promise<void> {
    await pause(SETTLE_MS);
    const before = residentMiB(subject.pid);
    let [peak, bytes, lines] = [before, 0, 0];
    const watch = setInterval(() => {
      peak = Math.max(peak, residentMiB(subject.pid));
    }, 250);
    const begun = performance.now();
    for await (const chunk of await subject.stream(`/api/v1/events?format=${format}`)) {
      bytes += chunk.length;
      for (const byte of chunk) if (byte === 10) lines++;
    }
    clearInterval(watch);
    const seconds = (performance.now() - begun) / 1_000;
    say(
      `export as ${format}: ${lines} lines, ${Math.round(bytes / 1e6)} MB in ${seconds.toFixed(1)} s; resident ${before} MiB before, ${peak} MiB at most, grown by ${peak - before} MiB`,
    );
  }
}

function residentMiB(pid: number): number {
  return Math.round(Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1_024);
}

async function time<T>(run: () => Promise<T>): Promise<{ ms: number; result: T }> {
  const begun = performance.now();
  const result = await run();
  return { ms: performance.now() - begun, result };
}

function report(what: string, times: number[], processor: number): void {
  const { p50, p95, p99 } = percentiles(times);
  const each = (processor / times.length).toFixed(1);
  say(
    `${what.padEnd(84)} P50 ${p50.toFixed(1)}  P95 ${p95.toFixed(1)}  P99 ${p99.toFixed(1)} ms, processor ${each} ms each (${times.length})`,
  );
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
