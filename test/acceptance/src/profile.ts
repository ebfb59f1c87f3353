import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePorts, freshInstallation } from '@retrigger/test-cluster/installation.ts';
import { Client } from './client.ts';

/** The ways in which the product runs; every acceptance test holds in each. */
export type Profile = 'embedded' | 'cluster';
/** One in each run of the tests: the other one needs servers. */
export const PROFILES: Profile[] = [process.env.RETRIGGER_TEST_PROFILE === 'cluster' ? 'cluster' : 'embedded'];

export type Running = {
  /** Calls as the first admin. */
  admin: Client;
  url: string;
  /** The metrics of all processes. */
  metrics(): Promise<string>;
  stop(): Promise<void>;
};

export type Env = { [name: string]: string };

export const KEY = 'the-first-key-of-acceptance';
const LISTENING = /listening on (http:\/\/[\d.]+:\d+)/;
const LONGEST_STOP_MS = 10_000;

/** Limits are off unless a test sets them, and targets on this machine may be called. */
export const SETTINGS: Env = {
  RETRIGGER_API_KEY: KEY,
  RETRIGGER_ALLOW_PRIVATE_TARGETS: 'true',
  RETRIGGER_LOG_LEVEL: 'warn',
  RETRIGGER_LIMIT_USER_PER_HOUR: '0',
  RETRIGGER_LIMIT_TASK_PER_HOUR: '0',
  RETRIGGER_LIMIT_SYSTEM_PER_MINUTE: '0',
};

/** Starts the product in each of the ways: on a free port, as processes of its own. */
const STARTERS: Record<Profile, (env: Env, nodeOptions: string[]) => Promise<Running>> = {
  embedded: startEmbedded,
  cluster: startCluster,
};

/** `env` goes over `SETTINGS`; `nodeOptions` are for Node itself. */
export const start = (profile: Profile, env: Env = {}, nodeOptions: string[] = []): Promise<Running> =>
  STARTERS[profile]({ ...SETTINGS, ...env }, nodeOptions);

async function startEmbedded(env: Env, nodeOptions: string[]): Promise<Running> {
  const folder = mkdtempSync(join(tmpdir(), 'retrigger-acceptance-'));
  const served = await serveFrom('@retrigger/standalone/main.ts', { ...env, RETRIGGER_DATA_DIR: folder }, nodeOptions);
  return {
    url: served.url,
    admin: new Client(served.url, KEY),
    metrics: () => textAt(`${served.url}/metrics`),
    async stop() {
      await served.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** On the cluster that runs, with topics and databases of its own; ready when a worker has decided something. */
async function startCluster(env: Env, nodeOptions: string[]): Promise<Running> {
  // The worker's; the next one is the dispatcher's, and the one after it the notifier's.
  const healthPort = await freePorts(3);
  const settings = { ...(await freshInstallation()), ...env, RETRIGGER_HEALTH_PORT: String(healthPort) };
  const { url, stop } = await serveFrom('@retrigger/cluster/main.ts', settings, nodeOptions);
  const admin = new Client(url, KEY);
  const { status } = await admin.post('/tasks/nothing/cancel', {}, { prefer: 'wait=60' });
  if (status !== 404) throw new Error(`the first command was answered with ${status}`);
  const behind = [0, 1, 2].map((after) => `http://127.0.0.1:${healthPort + after}`);
  const metrics = async () => (await Promise.all([url, ...behind].map((at) => textAt(`${at}/metrics`)))).join('\n');
  return { url, admin, metrics, stop };
}

const textAt = async (url: string): Promise<string> => (await fetch(url)).text();

/** Starts a process that listens, and waits until it does. Stopping it is by SIGTERM, and fails unless it ends with 0. */
export async function serveFrom(entry: string, env: Env, nodeOptions: string[]): Promise<{ url: string; stop(): Promise<void> }> {
  const file = fileURLToPath(import.meta.resolve(entry));
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...nodeOptions, file], {
    env: { PATH: process.env.PATH, HOST: '127.0.0.1', PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit');
  let output = '';
  const url = await new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      output += chunk.toString();
      const found = LISTENING.exec(output)?.[1];
      if (found !== undefined) resolve(found);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    void ended.then(([code]) => reject(new Error(`it ended with ${code} before it listened:\n${output}`)));
  });
  return {
    url,
    async stop() {
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), LONGEST_STOP_MS);
      const [code] = await ended;
      clearTimeout(late);
      if (code !== 0) throw new Error(`it ended with ${code}:\n${output.slice(-4_000)}`);
    },
  };
}
