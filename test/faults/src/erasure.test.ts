import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NO_HASH } from '@retrigger/domain/event.ts';
import { firstBreak } from '@retrigger/domain/event-hash.ts';
import type { JsonObject } from '@retrigger/domain/json.ts';
import { eventually } from '@retrigger/test-gateway/eventually.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Child, kill, startChild } from './child.ts';
import { Client, type Reply } from './client.ts';
import { appendUnreadable, deadLetters, filesOf, filesWith, keyRecords, tenantEvents } from './data-folder.ts';

const ENTRY = join(import.meta.dirname, 'standalone-that-dies.ts');

/** Planted wherever somebody or something personal can be named. None is part of another. */
const CANARY = {
  user: 'canary.user~7f3a9c',
  runner: 'canary.runner~51be02',
  created: 'canary-created-c1d2',
  patched: 'canary-patched-9e8f',
  proposed: 'canary-proposed-4b5a',
  triggered: 'canary-triggered-77aa',
  why: 'canary-why-0d0e',
  refused: 'canary-refused-31c4',
  forbidden: 'canary-forbidden-8812',
  later: 'canary-later-f00d',
  cancelled: 'canary-cancelled-6c6c',
  broke: 'canary-broke-a5a5',
  result: 'canary-result-1f1f',
} as const;

/** In a task that is not sensitive. */
const OPEN = 'not-sealed-2b2b';

const KEY = 'a-key-of-the-admin-of-erasures';

type People = { user: string; runner: string; viewer: string };

describe('erasure', () => {
  let folder: string;
  let children: Child[];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'retrigger-erasure-'));
    children = [];
  });
  afterEach(async () => {
    await Promise.all(children.map(kill));
    rmSync(folder, { recursive: true, force: true });
  });

  /** The keys of people are what a start before has made. */
  async function start(point = 'never', nth = 1, keys?: People) {
    const env = { PORT: '0', RETRIGGER_DATA_DIR: folder, RETRIGGER_API_KEY: KEY, RETRIGGER_LOG_LEVEL: 'debug' };
    const child = startChild(ENTRY, [point, String(nth), 'transaction'], env);
    children.push(child);
    const url = await child.ready;
    const admin = new Client(url, KEY);
    const { user, runner, viewer } = keys ?? (await makeKeys(admin));
    const as = (key: string): Client => new Client(url, key);
    return { child, admin, keys: { user, runner, viewer }, user: as(user), runner: as(runner), viewer: as(viewer) };
  }

  async function makeKeys(admin: Client): Promise<People> {
    const make = async (userId: string, role: string): Promise<string> =>
      String((await must(admin.send('POST', '/api/v1/api-keys', { userId, roles: [role] }, `key-of-${userId}`), 201)).key);
    return {
      user: await make(CANARY.user, 'operator'),
      runner: await make(CANARY.runner, 'executor'),
      viewer: await make('viewer', 'viewer'),
    };
  }

  type Running = Awaited<ReturnType<typeof start>>;

  /** Where a canary is that should be nowhere: in a file, or in what the process said. */
  const sightings = (said: string): string[] =>
    Object.entries(CANARY).flatMap(([name, canary]) => [
      ...filesWith(folder, canary).map((file) => `${name} in ${file}`),
      ...(said.includes(canary) ? [`${name} in what it said`] : []),
    ]);

  async function must(reply: Promise<Reply>, status: number): Promise<JsonObject> {
    const { status: given, text } = await reply;
    expect([given, text]).toEqual([status, text]);
    return JSON.parse(text).data ?? {};
  }

  /** A sensitive task and a plain one of the user who is erased; each canary is in what a command says. */
  async function live({ user, runner, viewer }: Running): Promise<void> {
    const send = (method: string, path: string, body: JsonObject, key?: string) => user.send(method, `/api/v1${path}`, body, key);
    await must(send('POST', '/tasks', { taskId: 'other', type: 'job', context: { a: OPEN } }), 201);
    const created = {
      taskId: 'pay',
      type: 'job',
      sensitive: true,
      context: { a: CANARY.created },
      retry: { maxAttempts: 2, jitter: 'none', baseDelay: '0s' },
    };
    await must(send('POST', '/tasks', created, 'create-pay'), 201);
    await must(send('POST', '/tasks', created, 'create-pay'), 201);
    await must(send('PATCH', '/tasks/pay', { context: { a: CANARY.patched } }), 200);
    await must(send('PATCH', '/tasks/pay', { dependencies: ['other'], context: { a: CANARY.proposed } }), 200);
    await must(send('POST', '/tasks/pay/trigger?dryRun=true', { context: { a: CANARY.triggered } }), 200);
    const { executionId } = await must(
      send('POST', '/tasks/pay/trigger', { context: { a: CANARY.triggered }, triggerReason: CANARY.why }, 'go'),
      202,
    );
    await must(send('POST', '/tasks/pay/trigger', { context: { a: CANARY.refused }, triggerReason: CANARY.refused }), 409);
    await must(viewer.send('POST', '/api/v1/tasks/pay/trigger', { context: { a: CANARY.forbidden } }), 403);
    await must(viewer.send('POST', '/api/v1/tasks/pay/cancel', { reason: CANARY.forbidden }), 403);
    await must(runner.send('POST', `/api/v1/executions/${executionId}/failed`, { error: CANARY.broke }), 200);
    await eventually('the next attempt runs', async () => (await user.task('pay')).status === 'Running');
    const { execution } = (await user.task('pay')) as { execution?: JsonObject };
    await must(runner.send('POST', `/api/v1/executions/${execution?.executionId}/completed`, { result: [CANARY.result] }), 200);
    await must(
      send('PUT', '/tasks/pay/reschedule', {
        strategy: 'conditional',
        conditions: { dependenciesComplete: ['other'] },
        reason: CANARY.later,
        context: { a: CANARY.later },
      }),
      200,
    );
    await must(send('POST', '/tasks/pay/cancel', { reason: CANARY.cancelled }), 200);
  }

  /** What everybody can be told of both tasks, in every way. */
  async function told({ admin }: Running): Promise<string> {
    const paths = [
      '/tasks',
      ...['pay', 'other'].flatMap((id) =>
        ['', '/diff', '/events?pageSize=1000', '/events?format=jsonl', '/events?format=csv'].map((what) => `/tasks/${id}${what}`),
      ),
    ];
    return (await Promise.all(paths.map(async (path) => (await admin.send('GET', `/api/v1${path}`)).text))).join('\n');
  }

  test('nothing of a user or of a sensitive task is ever on the disk open, nor readable once it is erased; the chains hold', async () => {
    const first = await start();
    await live(first);
    const before = await told(first);
    const planted = Object.entries(CANARY).filter(([name]) => name !== 'refused' && name !== 'forbidden');
    expect(planted.filter(([, canary]) => !before.includes(canary)).map(([name]) => name)).toEqual([]);
    expect(filesWith(folder, OPEN)).toEqual(expect.arrayContaining(['log.db-wal', 'store.db-wal'])); // what is not sealed is found
    expect(sightings(first.child.output())).toEqual([]);
    await kill(first.child); // by SIGKILL: what a crash leaves is looked at too
    appendUnreadable(folder);

    const second = await start('never', 1, first.keys);
    await eventually('the unreadable record is a dead letter', async () => deadLetters(folder) === 1);
    const keptKeys = keyRecords(folder);
    for (const body of [{ userId: CANARY.user }, { userId: CANARY.runner }, { taskId: 'pay' }])
      expect(await must(second.admin.send('POST', '/api/v1/erasures', body, `erase-${JSON.stringify(body)}`), 202)).toMatchObject({
        erased: true,
      });
    expect((await second.user.send('GET', '/api/v1/tasks')).status, 'a key of somebody who was erased').toBe(401);
    const after = await told(second);
    expect(Object.entries(CANARY).filter(([, canary]) => after.includes(canary))).toEqual([]);
    for (const id of ['pay', 'other']) {
      const events = await second.admin.events(id);
      expect(firstBreak(events, 1, NO_HASH)).toBeUndefined();
      expect(await second.admin.data(`/api/v1/tasks/${id}/events/verify`)).toEqual({ valid: true, checked: events.length });
    }
    const { output } = second.child;
    expect(sightings(output())).toEqual([]);
    await kill(second.child);
    expect(sightings(output())).toEqual([]);
    expect(keptKeys.filter(({ token }) => !keyRecords(folder).some((kept) => kept.token === token))).toHaveLength(3);
    const gone = keptKeys.filter(({ token }) => !keyRecords(folder).some((kept) => kept.token === token));
    const ofTenant = tenantEvents(folder);
    expect(ofTenant.map(({ eventType, metadata }) => [eventType, metadata.subject])).toEqual([
      ['DataErased', 'user'],
      ['DataErased', 'user'],
    ]);
    expect(firstBreak(ofTenant, 1, NO_HASH)).toBeUndefined();
    const [, keysFile = Buffer.alloc(0)] = filesOf(folder).find(([name]) => name === 'keys.db') ?? [];
    expect(gone.flatMap(({ id, secret }) => [id, secret]).filter((part) => keysFile.includes(part))).toEqual([]);
  });

  test('a process that is killed between the destruction and its event does both in the end (W1)', async () => {
    const victim = await start('events-stored', 2); // inside the transaction: the key is destroyed, the event is not yet stored
    await must(
      victim.user.send('POST', '/api/v1/tasks', { taskId: 'pay', type: 'job', sensitive: true, context: { a: CANARY.created } }),
      201,
    );
    const erase = (client: Client) => client.send('POST', '/api/v1/erasures', { taskId: 'pay' }, 'erase', { prefer: 'wait=60' });
    await erase(victim.admin).catch(() => {});
    await eventually('the place to die is reached', async () => victim.child.process.signalCode === 'SIGKILL');
    expect(keyRecords(folder).some(({ token }) => token.startsWith('k_'))).toBe(false);

    const next = await start('never', 1, victim.keys);
    expect(await must(erase(next.admin), 202)).toMatchObject({ subject: 'task', erased: true });
    const events = await next.admin.events('pay');
    expect(events.map(({ eventType }) => eventType)).toEqual(['TaskCreated', 'DataErased']);
    expect(firstBreak(events, 1, NO_HASH)).toBeUndefined();
    expect(await told(next)).not.toContain(CANARY.created);
  });
});
