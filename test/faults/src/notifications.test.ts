import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Event } from '@retrigger/domain/event.ts';
import { eventually } from '@retrigger/test-gateway/eventually.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Child, kill, startChild } from './child.ts';
import { Client } from './client.ts';

const KEY = 'a-key-for-the-notifier-that-dies';
const MAIN = join(import.meta.dirname, '../../../services/standalone/src/main.ts');
const TASKS = 40;
/** What each of them leads to: TaskCreated, TaskTriggered, TaskCompleted. */
const EVENTS = 3;

type Letter = { subscriptionId: string; taskId: string; sequence: number };

/** A receiver that tells of every call before it answers; `status` says with what. */
async function startReceiver(called: () => void, status: (nth: number) => number) {
  const events: Event[] = [];
  let calls = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const code = status(calls++);
      if (code === 200) events.push(JSON.parse(Buffer.concat(chunks).toString()).data);
      called();
      response.writeHead(code).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    events,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

describe('a process that tells subscribers and is killed', () => {
  let folder: string;
  let children: Child[];
  let receivers: Awaited<ReturnType<typeof startReceiver>>[];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'retrigger-notifier-'));
    children = [];
    receivers = [];
  });

  afterEach(async () => {
    await Promise.all(children.map(kill));
    for (const receiver of receivers) await receiver.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const start = (): Child => {
    const child = startChild(MAIN, [], {
      PORT: '0',
      RETRIGGER_DATA_DIR: folder,
      RETRIGGER_API_KEY: KEY,
      RETRIGGER_ALLOW_PRIVATE_TARGETS: 'true',
      RETRIGGER_LOG_LEVEL: 'error',
      RETRIGGER_LIMIT_USER_PER_HOUR: '0',
      RETRIGGER_NOTIFICATION_ATTEMPTS: '2',
      RETRIGGER_NOTIFICATION_RETRY_MS: '5',
      RETRIGGER_NOTIFICATION_PAUSE_AFTER: '1000',
    });
    children.push(child);
    return child;
  };

  const subscribe = async (client: Client, url: string): Promise<string> => {
    const { status, text } = await client.send('POST', '/api/v1/subscriptions', { channel: 'webhook', url });
    expect(status).toBe(201);
    return JSON.parse(text).data.id;
  };

  /** Each call has a key, so that it can be made again to whoever comes after the crash. */
  const runTask = async (client: Client, i: number): Promise<void> => {
    const wait = { prefer: 'wait=20' };
    await client.send('POST', '/api/v1/tasks', { taskId: `t${i}`, type: 'job' }, `create-${i}`, wait);
    const { text } = await client.send('POST', `/api/v1/tasks/t${i}/trigger`, {}, `trigger-${i}`, wait);
    await client.send('POST', `/api/v1/executions/${JSON.parse(text).data.executionId}/completed`, {}, `complete-${i}`, wait);
  };

  test.each([[5], [37], [90], [161]])(
    'at call %i of its subscribers: each event is delivered or a dead letter, in the order of its task',
    async (nth) => {
      let left = nth;
      let victim = start();
      const kills = () => {
        if (--left === 0) victim.process.kill('SIGKILL');
      };
      const well = await startReceiver(kills, () => 200);
      const ill = await startReceiver(kills, (call) => (call % 3 === 0 ? 200 : 500));
      receivers.push(well, ill);
      const before = new Client(await victim.ready, KEY);
      const [wellId, illId] = [await subscribe(before, well.url), await subscribe(before, ill.url)];
      await Promise.all(Array.from({ length: TASKS }, (_, i) => runTask(before, i).catch(() => {}))); // the callers of a dying process hear nothing
      await eventually('it is killed', async () => victim.process.signalCode === 'SIGKILL');

      victim = start();
      const after = new Client(await victim.ready, KEY);
      await Promise.all(Array.from({ length: TASKS }, (_, i) => runTask(after, i)));
      const lettersOf = async (id: string): Promise<Letter[]> =>
        (await after.data<{ deadLetters: Letter[] }>('/api/v1/dead-letters?pageSize=1000')).deadLetters.filter(
          (one) => one.subscriptionId === id,
        );
      const told = ({ events }: { events: Event[] }) => new Set(events.map(({ taskId, sequence }) => `${taskId}/${sequence}`));
      await eventually('all is delivered to the healthy one', async () => told(well).size === TASKS * EVENTS);
      await eventually('all is delivered to the failing one, or a dead letter', async () => {
        const given = (await lettersOf(illId)).map(({ taskId, sequence }) => `${taskId}/${sequence}`);
        return new Set([...told(ill), ...given]).size === TASKS * EVENTS;
      });
      expect(await lettersOf(wellId)).toEqual([]);
      for (const { events } of [well, ill]) {
        const last = new Map<string, number>();
        const first = events.filter(({ taskId, sequence }) => sequence > (last.get(taskId) ?? 0) && last.set(taskId, sequence));
        expect(first.length).toBe(told({ events }).size);
      }
    },
  );
});
