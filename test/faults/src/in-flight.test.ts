import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Child, kill, startChild } from './child.ts';
import { Client } from './client.ts';

const MAIN = join(import.meta.dirname, '../../../services/standalone/src/main.ts');
const KEY = 'a-key-for-many-at-once';
const MANY = 5_000;
const CONNECTED_AT_ONCE = 250;
const MOST_MEMORY_MIB = 1_024;
/** What a 503 asks for. */
const RETRY_AFTER_MS = 1_000;

type Answer = { status: number; body: string };

/** A connection for one request at a time. */
async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

/** The status and the body of the next answer, which tells its length. */
function answer(socket: Socket): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let text = '';
    const read = (chunk: Buffer) => {
      text += chunk.toString();
      const [head = '', body = ''] = text.split('\r\n\r\n', 2);
      const length = /content-length: (\d+)/i.exec(head)?.[1];
      if (length === undefined || Buffer.byteLength(body) < Number(length)) return;
      socket.off('data', read);
      resolve({ status: Number(head.slice(9, 12)), body });
    };
    socket.on('data', read);
    socket.once('close', () => reject(new Error(`hung up after ${text}`)));
  });
}

describe(`${MANY} requests in flight at once`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'retrigger-many-'));
  let child: Child;
  const sockets: Socket[] = [];
  let port: number;
  let client: Client;

  beforeAll(async () => {
    child = startChild(MAIN, [], {
      PORT: '0',
      RETRIGGER_DATA_DIR: folder,
      RETRIGGER_API_KEY: KEY,
      RETRIGGER_LOG_LEVEL: 'error',
      RETRIGGER_LIMIT_USER_PER_HOUR: '0',
    });
    const url = await child.ready;
    port = Number(new URL(url).port);
    client = new Client(url, KEY);
    while (sockets.length < MANY) sockets.push(...(await Promise.all(Array.from({ length: CONNECTED_AT_ONCE }, () => open(port)))));
  });

  afterAll(async () => {
    for (const socket of sockets) socket.destroy();
    await kill(child);
    rmSync(folder, { recursive: true, force: true });
  });

  /** Sends one request on every connection before any answer is read. What waits for over 10 s is shed (503): on a machine that is full some asks again. */
  const all = (path: (i: number) => string, body: (i: number) => object): Promise<Answer[]> => {
    const ask = async (socket: Socket, i: number): Promise<Answer> => {
      const text = JSON.stringify(body(i));
      socket.write(
        `POST ${path(i)} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${KEY}\r\nContent-Type: application/json\r\nIdempotency-Key: many-${i}\r\nPrefer: wait=60\r\nContent-Length: ${text.length}\r\n\r\n${text}`,
      );
      const told = await answer(socket);
      if (told.status !== 503) return told;
      await new Promise((resolve) => setTimeout(resolve, RETRY_AFTER_MS));
      return ask(socket, i);
    };
    return Promise.all(sockets.map(ask));
  };

  const tally = (answers: Answer[]): { [what: string]: number } => {
    const counts: { [what: string]: number } = {};
    for (const { status, body } of answers) {
      const what = body.includes('"state":"pending"') ? 'pending' : String(status);
      counts[what] = (counts[what] ?? 0) + 1;
    }
    return counts;
  };

  const memoryMiB = () => Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.process.pid}/status`, 'utf8'))?.[1]) / 1024;

  test('are all answered, none is lost or doubled, and memory stays bounded', async () => {
    const created = await all(
      () => '/api/v1/tasks',
      (i) => ({ taskId: `t${i}`, type: 'job', schedule: { strategy: 'delayed', delay: '1h' } }),
    );
    expect(tally(created)).toEqual({ '201': MANY });
    const triggered = await all(
      (i) => `/api/v1/tasks/t${i}/trigger`,
      () => ({ triggerReason: 'all at once' }),
    );
    expect(tally(triggered)).toEqual({ '202': MANY });
    const executions = new Set(triggered.map(({ body }) => JSON.parse(body).data.executionId));
    expect(executions.size).toBe(MANY);
    for (const taskId of ['t0', 't2500', `t${MANY - 1}`])
      expect((await client.events(taskId)).map(({ eventType }) => eventType)).toEqual(['TaskCreated', 'TaskTriggered']);
    expect(await running(client)).toBe(MANY);
    const used = memoryMiB();
    process.stdout.write(`${MANY} at once: at most ${Math.round(used)} MiB\n`);
    expect(used).toBeLessThan(MOST_MEMORY_MIB);
  });
});

async function running(client: Client): Promise<number> {
  let count = 0;
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page: { tasks: unknown[]; pageInfo: { nextCursor: string | null } } = await client.data(
      `/api/v1/tasks?status=Running&pageSize=1000&cursor=${cursor}`,
    );
    count += page.tasks.length;
    cursor = page.pageInfo.nextCursor;
  }
  return count;
}
