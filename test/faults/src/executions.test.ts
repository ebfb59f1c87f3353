import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@retrigger/client/client.ts';
import { createExecutor } from '@retrigger/client/executor.ts';
import { dataOf } from '@retrigger/client/outcome.ts';
import type { Task } from '@retrigger/client/types.ts';
import type { Event } from '@retrigger/domain/event.ts';
import { eventually } from '@retrigger/test-gateway/eventually.ts';
import { violations } from '@retrigger/test-history/checkers.ts';
import type { Call } from '@retrigger/test-history/recorded.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Child, kill, startChild } from './child.ts';
import { Client } from './client.ts';

const KEY = 'a-key-for-executions-under-fire';
const MAIN = join(import.meta.dirname, '../../../services/standalone/src/main.ts');
const KILLS = 4;
const OF_EACH = 15;

/** How the tasks' targets behave, by the beginning of the task's id; those of `claimed` have none. */
const MANNERS: { [name: string]: (response: ServerResponse) => void } = {
  quick: (response) => void response.setHeader('content-type', 'application/json').end('{"ok":true}'),
  slow: (response) => void setTimeout(() => response.end('{}'), 200),
  failing: (response) => void response.writeHead(500).end(),
  hanging: () => {},
  later: (response) => void response.writeHead(202).end(), // and then it never reports
};
/** Of those that nobody reports. The others have time: a busy machine may take long to start. */
const DEADLINES: { [name: string]: string } = { hanging: '5s', later: '5s' };

describe('a process that is killed while executions run', () => {
  let folder: string;
  const calls: Call[] = [];
  let child: Child;
  const target = createServer({ keepAliveTimeout: 0 }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const { taskId, executionId } = JSON.parse(Buffer.concat(chunks).toString());
      calls.push({ key: `default/${taskId}`, executionId });
      MANNERS[String(taskId).split('-')[0] ?? '']?.(response);
    });
  });

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'retrigger-executions-'));
    target.listen(0, '127.0.0.1');
    await once(target, 'listening');
  });
  afterEach(async () => {
    await kill(child);
    target.closeAllConnections();
    target.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Below those that the system gives to outgoing connections: whoever calls while nobody listens could be given the port itself. */
  async function freePort(): Promise<string> {
    for (;;) {
      const server = createServer().listen(randomInt(12_000, 20_000), '127.0.0.1');
      const isFree = await once(server, 'listening').then(
        () => true,
        () => false,
      );
      if (!isFree) continue;
      const { port } = server.address() as AddressInfo;
      server.close();
      await once(server, 'close');
      return String(port);
    }
  }

  test('every execution is reported or fails by its deadline; each that was claimed is run once', async () => {
    const port = await freePort();
    const start = () => {
      child = startChild(MAIN, [], {
        ...{ PORT: port, RETRIGGER_DATA_DIR: folder, RETRIGGER_API_KEY: KEY, RETRIGGER_LOG_LEVEL: 'error' },
        RETRIGGER_ALLOW_PRIVATE_TARGETS: 'true',
      });
      return child.ready;
    };
    await start();
    const url = `http://127.0.0.1:${port}`;
    const client = createClient({ url, key: KEY, withinMs: 60_000 });
    const ran: string[] = [];
    const executor = createExecutor({
      ...{ client, types: ['claimed'], concurrency: 4, trouble() {} },
      run: async ({ executionId }) => void ran.push(executionId),
    });

    const names = [...Object.keys(MANNERS), 'claimed'];
    const ids = Array.from({ length: OF_EACH }, (_, n) => names.map((name) => `${name}-${n}`)).flat();
    const { port: at } = target.address() as AddressInfo;
    let triggered = 0;
    const used = Promise.all(
      ids.map(async (taskId) => {
        const type = taskId.split('-')[0] ?? '';
        const how = type === 'claimed' ? {} : { target: { url: `http://127.0.0.1:${at}/`, timeout: '2m' } };
        dataOf(await client.createTask({ taskId, type, deadline: DEADLINES[type] ?? '5m', ...how }));
        dataOf(await client.trigger(taskId));
        triggered++;
      }),
    );
    for (let n = 1; n <= KILLS; n++) {
      await eventually('more was triggered', async () => triggered >= (n * ids.length) / (KILLS + 1));
      await kill(child);
      await start();
    }
    await used;

    const tasks = new Map<string, Task>();
    await eventually(
      'every execution has ended',
      async () => {
        for (const taskId of ids) if (!tasks.has(taskId)) await look(taskId);
        return tasks.size === ids.length;
      },
      120_000,
    );
    async function look(taskId: string): Promise<void> {
      const task = dataOf(await client.task(taskId));
      if (task.status !== 'Running') tasks.set(taskId, task);
    }
    await executor.stop();

    const ends = (name: string) =>
      new Set(
        ids.filter((id) => id.startsWith(`${name}-`)).map((id) => tasks.get(id)?.lastExecution?.error?.code ?? tasks.get(id)?.status),
      );
    expect(Object.fromEntries(names.map((name) => [name, [...ends(name)]]))).toEqual({
      ...{ quick: ['Completed'], slow: ['Completed'], failing: ['target_status'], claimed: ['Completed'] },
      ...{ hanging: ['deadline_exceeded'], later: ['deadline_exceeded'] },
    });
    expect(new Set(ran).size).toBe(OF_EACH);
    expect(ran).toHaveLength(OF_EACH);

    const reader = new Client(url, KEY);
    const streams = new Map<string, Event[]>();
    for (const taskId of ids) streams.set(`default/${taskId}`, await reader.events(taskId));
    expect(violations({ streams, states: new Map(), acknowledged: [], calls })).toEqual([]);
  }, 300_000);
});
