import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Event } from '@retrigger/domain/event.ts';
import { SseReader } from '@retrigger/test-gateway/sse.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Child, kill, startChild } from './child.ts';
import { Client } from './client.ts';

const KEY = 'a-key-for-the-stream-tests';
const MAIN = join(import.meta.dirname, '../../../services/standalone/src/main.ts');
const TASKS = 12;
const ROUNDS = 40;

describe('the live stream of a server that is killed', () => {
  let folder: string;
  let children: Child[];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'retrigger-stream-'));
    children = [];
  });

  afterEach(async () => {
    await Promise.all(children.map(kill));
    rmSync(folder, { recursive: true, force: true });
  });

  const start = async (): Promise<{ child: Child; url: string; client: Client }> => {
    const env = { PORT: '0', RETRIGGER_DATA_DIR: folder, RETRIGGER_API_KEY: KEY, RETRIGGER_LOG_LEVEL: 'error' };
    const limits = { RETRIGGER_LIMIT_USER_PER_HOUR: '0', RETRIGGER_LIMIT_TASK_PER_HOUR: '0', RETRIGGER_LIMIT_SYSTEM_PER_MINUTE: '0' };
    const child = startChild(MAIN, [], { ...env, ...limits });
    children.push(child);
    const url = await child.ready;
    return { child, url, client: new Client(url, KEY) };
  };

  async function stream(url: string, lastEventId: string): Promise<SseReader> {
    const headers = { authorization: `Bearer ${KEY}`, 'last-event-id': lastEventId };
    const response = await fetch(`${url}/api/v1/events/stream`, { headers });
    if (response.body === null) throw new Error(`${response.status}`);
    return new SseReader(response.body);
  }

  test('goes on by Last-Event-ID on the server that takes its place: no gap, no repeat, while tasks on all partitions have events', async () => {
    const tasks = Array.from({ length: TASKS }, (_, i) => `t${i}`);
    let server = await start();
    /** Whoever is not answered asks again, under the same key, the server that runs then. */
    const ask = async (path: string, body: object, key: string): Promise<void> => {
      for (;;) {
        const reply = await server.client.send('POST', path, body, key).catch(() => undefined);
        if (reply !== undefined && reply.status < 500) return;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    const working = tasks.map(async (taskId) => {
      await ask('/api/v1/tasks', { taskId, type: 'job' }, `create-${taskId}`);
      for (let round = 0; round < ROUNDS; round++) {
        await ask(`/api/v1/tasks/${taskId}/trigger`, {}, `${taskId}-${round}`);
      }
    });

    const seen: { id: string; name: string }[] = [];
    let reader = await stream(server.url, '');
    /** How many had been seen when this reader began. */
    let before = 0;
    const take = async (enough: () => boolean): Promise<void> => {
      const names = () => reader.messages.map(({ id, data }) => ({ id, name: `${data.taskId}#${data.sequence}` }));
      await reader.until(() => {
        seen.splice(before, seen.length, ...names());
        return enough();
      });
    };
    for (const killedAfter of [60, 180, 300]) {
      await take(() => seen.length >= killedAfter);
      await kill(server.child);
      await take(() => false); // what was still on its way
      server = await start();
      before = seen.length;
      reader = await stream(server.url, seen.at(-1)?.id ?? '');
    }
    await Promise.all(working);
    await take(() => seen.length >= TASKS * (ROUNDS + 1));

    const all = (await Promise.all(tasks.map((taskId) => server.client.events(taskId)))).flat();
    const expected = all.sort(byTimeAndId).map(({ taskId, sequence }) => `${taskId}#${sequence}`);
    expect(expected).toHaveLength(TASKS * (ROUNDS + 1));
    expect(seen.map(({ name }) => name)).toEqual(expected);
    await reader.cancel();
  });
});

const byTimeAndId = (a: Event, b: Event): number => (a.timestamp + a.eventId < b.timestamp + b.eventId ? -1 : 1);
