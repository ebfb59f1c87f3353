import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Event } from '@retrigger/domain/event.ts';
import { firstBreak } from '@retrigger/domain/event-hash.ts';
import { archivedLines } from '@retrigger/files/folder-archive.ts';
import { eventually } from '@retrigger/test-gateway/eventually.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Child, kill, startChild } from './child.ts';
import { Client } from './client.ts';

const KEY = 'a-key-for-the-retention-test';
const ENTRY = join(import.meta.dirname, 'standalone-that-dies.ts');
const RESTORE = fileURLToPath(import.meta.resolve('@retrigger/standalone/restore/main.ts'));
const DAY_MS = 86_400_000;

type Page = { events: Event[]; total: number; archived?: { events: number; until: string } };

let folder: string;
let children: Child[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'retrigger-retention-'));
  children = [];
});
afterEach(async () => {
  await Promise.all(children.map(kill));
  rmSync(folder, { recursive: true, force: true });
});

/** `days` later than it is. */
async function start(days: number) {
  const clock = `data:text/javascript,const now=Date.now;Date.now=()=>now()+${days * DAY_MS}`;
  const env = {
    PORT: '0',
    RETRIGGER_DATA_DIR: folder,
    RETRIGGER_API_KEY: KEY,
    RETRIGGER_LOG_LEVEL: 'error',
    NODE_OPTIONS: `--import "${clock}"`,
  };
  const child = startChild(ENTRY, ['never', '1', 'transaction'], env);
  children.push(child);
  return { child, client: new Client(await child.ready, KEY) };
}

test('what is older than a tenant keeps moves to an archive: pages, verification and states say so, and npm run restore brings it back', async () => {
  const first = await start(0);
  const send = (client: Client, method: string, path: string, body: object) => client.send(method, `/api/v1${path}`, body);
  await send(first.client, 'POST', '/tasks', { taskId: 't', type: 'job', context: { day: 0 } });
  for (const step of [1, 2, 3]) await send(first.client, 'PATCH', '/tasks/t', { context: { step } });
  for (const taskId of ['u', 'v']) await send(first.client, 'POST', '/tasks', { taskId, type: 'job' });
  const bulk = { tasks: [{ taskId: 'u' }, { taskId: 'v' }], allOrNothing: true };
  expect((await send(first.client, 'POST', '/tasks/bulk/trigger', bulk)).status).toBe(200);
  const before = await first.client.events('t');
  await kill(first.child);

  const second = await start(3);
  expect((await send(second.client, 'PATCH', '/tasks/t', { context: { day: 3 } })).status).toBe(200);
  expect((await send(second.client, 'PUT', '/tenant/settings', { retention: { events: '2d' } })).status).toBe(200);
  await kill(second.child);

  const third = await start(3);
  const page = (client: Client): Promise<Page> => client.data('/api/v1/tasks/t/events');
  await eventually('the old events are archived', async () => (await page(third.client)).archived !== undefined);
  await eventually('they are gone from the store', async () => (await page(third.client)).total === 1);
  const { events, archived } = await page(third.client);
  const last = before.at(-1) as Event;
  expect([events.map(({ sequence }) => sequence), archived]).toEqual([[5], { events: 4, until: last.timestamp }]);
  expect(firstBreak(events, 5, last.hash)).toBeUndefined();
  expect(await third.client.data('/api/v1/tasks/t/events/verify')).toEqual({ valid: true, checked: 5, archived });
  expect(await third.client.task('t')).toMatchObject({ context: { day: 3 } });
  const asked = async (path: string) => (await third.client.send('GET', `/api/v1/tasks/t${path}`)).status;
  expect(await asked(`?at=${new Date(Date.parse(last.timestamp) - 1).toISOString()}`)).toBe(400);
  expect(await third.client.data(`/api/v1/tasks/t?at=${last.timestamp}`)).toMatchObject({ context: { step: 3 } });
  expect(await third.client.data('/api/v1/tasks/t/diff')).toMatchObject({
    changes: [{ path: '/context/day' }, { path: '/context/step' }],
    archived,
  });
  expect((await send(third.client, 'POST', '/tasks/t/trigger', {})).status).toBe(202);
  expect((await send(third.client, 'PUT', '/tenant/settings', {})).status).toBe(200);
  const [file = ''] = readdirSync(join(folder, 'archive/tenant-default'));
  const lines: { begin?: { key: string }; event?: Event }[] = [];
  for await (const line of archivedLines(join(folder, 'archive/tenant-default', file))) lines.push(JSON.parse(line));
  const keys = lines.flatMap(({ begin }) => begin?.key ?? []);
  expect(keys.map((key) => key.replace(/bulk_.*/, 'b')).toSorted()).toEqual(['default/bulk/b', 'default/t', 'default/u', 'default/v']);
  const archivedEvents = lines.filter(({ event }) => event !== undefined).length;
  const restore = () =>
    promisify(execFile)(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', RESTORE, join(folder, 'archive/tenant-default', file)],
      {
        env: { PATH: process.env.PATH, RETRIGGER_DATA_DIR: folder },
      },
    );
  await expect(restore(), 'while it runs').rejects.toThrow('stop it first');
  await kill(third.child);
  expect((await restore()).stdout).toBe(`${archivedEvents} events of 4 streams are back\n`);

  const fourth = await start(3);
  const restored = await page(fourth.client);
  expect([restored.total, restored.archived]).toEqual([6, undefined]);
  expect(restored.events.slice(0, 4)).toEqual(before);
  expect(await fourth.client.data('/api/v1/tasks/t/events/verify')).toEqual({ valid: true, checked: 6 });
});
