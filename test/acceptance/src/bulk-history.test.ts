import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Event } from '@retrigger/domain/event.ts';
import { bulkName, deriveBulkId } from '@retrigger/domain/identifiers.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Client } from './client.ts';
import { own } from './own.ts';
import { PROFILES, type Running, start } from './profile.ts';
import { historiesOf, trailsTo } from './walking.ts';

const VERIFIER = fileURLToPath(import.meta.resolve('@retrigger/verifier/main.ts'));
const OF_BULK = /Bulk(Started|Gathered|Decided|Ended)|"bulk\//;

describe.each(PROFILES)('what bulks leave in the history of all tasks, %s', (profile) => {
  let running: Running;
  let admin: Client;
  const folder = mkdtempSync(join(tmpdir(), 'retrigger-bulk-history-'));
  const taskIds = Array.from({ length: 6 }, (_, i) => own(`bulked-${i}`));
  /** The events of the tasks, by time and id. */
  let all: Event[];
  /** Of the last bulk. */
  let commandId: string;
  let shown: { id: string; data: object }[];

  beforeAll(async () => {
    running = await start(profile);
    admin = running.admin;
    const stream = await admin.stream();
    for (const taskId of taskIds) await admin.create(taskId);
    const tasks = (from: number, to: number) => taskIds.slice(from, to).map((taskId) => ({ taskId }));
    const schedule = { strategy: 'delayed', delay: '1h' };
    const bulk = async (method: string, path: string, body: object) => {
      const { status, headers } = await admin.call(method, `/api/v1/tasks/bulk/${path}`, body, { prefer: 'wait=60' });
      commandId = headers.get('x-command-id') ?? '';
      return status;
    };
    const ended = [
      await bulk('POST', 'trigger', { tasks: tasks(0, 3) }),
      await bulk('POST', 'trigger', { tasks: tasks(3, 5), allOrNothing: true }),
      await bulk('POST', 'trigger', { tasks: tasks(4, 6), allOrNothing: true }), // one of them runs
      await bulk('PUT', 'reschedule', { tasks: tasks(5, 6), schedule, allOrNothing: true }),
      await bulk('PUT', 'reschedule', { tasks: tasks(4, 6), schedule }),
    ];
    expect(ended).toEqual([200, 200, 409, 200, 200]);
    all = await historiesOf(admin, taskIds);
    await trailsTo(admin, all.at(-1) as Event);
    await stream.until(() => stream.messages.length >= all.length);
    shown = stream.messages;
    await stream.cancel();
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await running.stop();
  });

  test('pages, their total and the stream hold the events of the tasks and no other', async () => {
    const page = await admin.page('pageSize=1000');
    expect(page.events).toEqual(all);
    expect(page.total).toBe(all.length);
    expect((await admin.page('pageSize=1000&order=desc')).events).toEqual(all.toReversed());
    expect((await admin.page('pageSize=1&actor=admin')).total).toBe(all.filter(({ actor }) => actor.id === 'admin').length);
    expect(shown.map(({ data }) => data)).toEqual(all);
  });

  test.each(['jsonl', 'csv'])('an export as %s holds none of a bulk’s own, and npm run verify accepts it', async (format) => {
    const { text } = await admin.call('GET', `/api/v1/events?format=${format}`);
    expect(text).not.toMatch(OF_BULK);
    const file = join(folder, `events.${format}`);
    writeFileSync(file, text);
    const { status, stdout } = spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', VERIFIER, file], { encoding: 'utf8' });
    expect([status, stdout]).toEqual([0, expect.stringContaining(`${all.length} events of ${taskIds.length} tasks, every chain whole`)]);
  });

  test('lists hold tasks only, and a bulk’s own type of event can’t be asked for', async () => {
    const { tasks } = await admin.data<{ tasks: { taskId: string }[] }>('/tasks?pageSize=1000');
    expect(tasks.map(({ taskId }) => taskId).toSorted()).toEqual(taskIds.toSorted());
    for (const path of ['/events?types=BulkStarted', '/events/stream?types=BulkEnded', `/events?taskId=${encodeURIComponent('bulk/x')}`])
      expect([path, (await admin.call('GET', `/api/v1${path}`)).status]).toEqual([path, 400]);
  });

  test('nor can a bulk be read as if it were a task: its name is none of a task', async () => {
    const bulkId = deriveBulkId(commandId);
    for (const path of ['', '/events', '/events/verify', '/diff'])
      expect([path, (await admin.call('GET', `/api/v1/tasks/${encodeURIComponent(bulkName(bulkId))}${path}`)).status]).toEqual([path, 400]);
  });
});
