import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Child, kill, startChild, startCommand } from './child.ts';
import { Client } from './client.ts';

const ROOT = join(import.meta.dirname, '../../..');
const MAIN = join(ROOT, 'services/standalone/src/main.ts');
const KEY = 'a-key-for-starting-and-stopping';

describe('the standalone service', () => {
  let folder: string;
  let children: Child[];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'retrigger-start-'));
    children = [];
  });

  afterEach(async () => {
    await Promise.all(children.map(kill));
    rmSync(folder, { recursive: true, force: true });
  });

  const start = (env: Record<string, string> = {}): Child => {
    const child = startChild(MAIN, [], {
      PORT: '0',
      RETRIGGER_DATA_DIR: folder,
      RETRIGGER_API_KEY: KEY,
      RETRIGGER_LOG_LEVEL: 'error',
      ...env,
    });
    children.push(child);
    return child;
  };

  /** One line on what to do, exit code 1, nothing else. */
  async function refuses(child: Child, ...words: string[]): Promise<void> {
    await expect(child.ready).rejects.toThrow();
    expect(await child.ended).toEqual({ code: 1, signal: null });
    const lines = child.output().trimEnd().split('\n');
    expect(lines).toHaveLength(1);
    for (const word of words) expect(lines[0]).toContain(word);
  }

  test('says in one line that its port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    await refuses(start({ PORT: String(port) }), String(port), 'PORT');
    other.close();
  });

  test('says in one line that its data folder can not be used', async () => {
    const file = join(folder, 'a-file');
    writeFileSync(file, '');
    await refuses(start({ RETRIGGER_DATA_DIR: join(file, 'data') }), join(file, 'data'), 'RETRIGGER_DATA_DIR');
  });

  test('says in one line that another process has its data folder', async () => {
    await start().ready;
    await refuses(start(), folder, 'another process');
  });

  test('says in one line which variable is wrong', async () => {
    await refuses(start({ PORT: 'eighty' }), 'PORT', '"eighty"', '0 to 65535');
    await refuses(start({ RETRIGGER_API_KEY: 'short' }), 'RETRIGGER_API_KEY', '16 to 256');
  });

  test('says in one line that its data folder was used with another secret, unless the master key is the same', async () => {
    const started = async (env: Record<string, string>) => {
      const child = start(env);
      await child.ready;
      await kill(child);
    };
    await started({ RETRIGGER_SECRET: 'one-secret-of-32-characters-or-so' });
    await refuses(start({ RETRIGGER_SECRET: 'two-secret-of-32-characters-or-so' }), folder, 'RETRIGGER_SECRET', 'RETRIGGER_MASTER_KEY');
    await started({ RETRIGGER_SECRET: 'two-secret-of-32-characters-or-so', RETRIGGER_MASTER_KEY: 'one-secret-of-32-characters-or-so' });
  });

  test('ends with the npm that started it, however that ends, and starts again at once on the same port', async () => {
    const env = { PORT: '0', RETRIGGER_DATA_DIR: folder, RETRIGGER_API_KEY: KEY, RETRIGGER_LOG_LEVEL: 'error' };
    const first = startCommand('npm', ['start'], { cwd: ROOT, env });
    children.push(first);
    const { port } = new URL(await first.ready);
    first.process.kill('SIGKILL');
    const second = startCommand('npm', ['start'], { cwd: ROOT, env: { ...env, PORT: port } });
    children.push(second);
    expect(new URL(await second.ready).port).toBe(port);
    second.process.kill('SIGTERM');
    await once(second.process.stdout as NodeJS.ReadableStream, 'close'); // the service holds it until it ends
  });

  test('takes over the folder of a process that was killed', async () => {
    const first = start();
    await first.ready;
    await kill(first);
    await start().ready;
  });

  test('drains and exits with 0 on SIGTERM; what was acknowledged is there afterwards', async () => {
    const first = start();
    const client = new Client(await first.ready, KEY);
    const creations = Array.from({ length: 50 }, (_, i) => client.send('POST', '/api/v1/tasks', { taskId: `t${i}`, type: 'job' }));
    const { status } = await (creations[0] as Promise<{ status: number }>);
    expect(status).toBe(201);
    first.process.kill('SIGTERM');
    const replies = await Promise.allSettled(creations);
    expect(await first.ended).toEqual({ code: 0, signal: null });
    const after = new Client(await start().ready, KEY);
    for (const [i, reply] of replies.entries()) {
      if (reply.status === 'fulfilled' && reply.value.status === 201) expect((await after.task(`t${i}`)).status).toBe('Draft');
    }
  });

  test('makes a key on the first start, prints it with a curl line, and keeps it', async () => {
    const env = { RETRIGGER_API_KEY: '' };
    const first = start(env);
    await first.ready;
    const key = /API key[^:]*: (\S+)/.exec(first.output())?.[1] ?? '';
    expect(first.output()).toContain(`curl -s`);
    await kill(first);
    const client = new Client(await start(env).ready, key);
    expect((await client.send('POST', '/api/v1/tasks', { type: 'job' })).status).toBe(201);
  });
});
