import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool } from 'undici';

/** The entry point of the embedded profile. */
export const STANDALONE = join(import.meta.dirname, '../../../services/standalone/src/main.ts');

export const KEY = 'a-key-for-measuring';

/** A process under measurement, on a free port, with a connection pool to it. */
export type Subject = {
  url: string;
  post(path: string, body: string, headers?: Record<string, string>): Promise<{ status: number; text: string }>;
  get(path: string): Promise<string>;
  /** A body as it comes. */
  stream(path: string): Promise<AsyncIterable<Uint8Array>>;
  pid: number;
  send(method: string, path: string, body?: string, headers?: Record<string, string>): Promise<{ status: number; text: string }>;
  stop(): Promise<void>;
};

/** Starts an entry point that prints `listening on http://…`, data in a folder of its own. */
export async function startSubject(entry: string, connections: number, env: Record<string, string> = {}): Promise<Subject> {
  const folder = mkdtempSync(join(tmpdir(), 'retrigger-bench-'));
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...profiling(), entry], {
    env: { ...BASE_ENV, PATH: process.env.PATH, RETRIGGER_DATA_DIR: folder, RETRIGGER_API_KEY: KEY, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = await listening(child);
  const pool = new Pool(url, { connections, pipelining: 1 });
  const base = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' };
  const send: Subject['send'] = async (method, path, body, headers) => {
    const { statusCode, body: answer } = await pool.request({ method, path, body: body ?? null, headers: { ...base, ...headers } });
    return { status: statusCode, text: await answer.text() };
  };
  return {
    url,
    send,
    post: (path, body, headers) => send('POST', path, body, headers),
    async get(path) {
      const { body } = await pool.request({ method: 'GET', path, headers: base });
      return body.text();
    },
    async stream(path) {
      const { body } = await pool.request({ method: 'GET', path, headers: base });
      return body;
    },
    pid: child.pid ?? 0,
    async stop() {
      await pool.close();
      child.kill('SIGTERM');
      await once(child, 'exit');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Limits off: what is measured is the work. */
export const BASE_ENV = {
  PORT: '0',
  RETRIGGER_LOG_LEVEL: 'error',
  RETRIGGER_ALLOW_PRIVATE_TARGETS: 'true',
  RETRIGGER_LIMIT_USER_PER_HOUR: '0',
  RETRIGGER_LIMIT_TASK_PER_HOUR: '0',
  RETRIGGER_LIMIT_SYSTEM_PER_MINUTE: '0',
};

/** BENCH_PROFILE=folder writes a CPU profile of every subject there. */
const profiling = (): string[] =>
  process.env.BENCH_PROFILE === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${process.env.BENCH_PROFILE}`];

async function listening(child: ChildProcess): Promise<string> {
  let text = '';
  for await (const chunk of child.stdout?.iterator({ destroyOnReturn: false }) ?? []) {
    text += chunk;
    const url = /listening on (http:\/\/[\d.]+:\d+)/.exec(text)?.[1];
    if (url === undefined) continue;
    child.stdout?.resume();
    return url;
  }
  throw new Error(`the subject ended before it listened: ${text}`);
}
