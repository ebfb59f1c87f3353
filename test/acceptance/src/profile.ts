import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from './client.ts';

/** The ways in which the product runs; every acceptance test holds in each. */
export const PROFILES = ['embedded'] as const;
export type Profile = (typeof PROFILES)[number];

export type Running = {
  /** Calls as the first admin. */
  admin: Client;
  url: string;
  stop(): Promise<void>;
};

const KEY = 'the-first-key-of-acceptance';
const LISTENING = /listening on (http:\/\/[\d.]+:\d+)/;
const LONGEST_STOP_MS = 10_000;

const ENTRIES: Record<Profile, string> = { embedded: fileURLToPath(import.meta.resolve('@retrigger/standalone/main.ts')) };

/** Starts the product as a process of its own, on a free port and an empty data folder. Its limits are off unless `env` sets them. */
export async function start(profile: Profile, env: { [name: string]: string } = {}): Promise<Running> {
  const folder = mkdtempSync(join(tmpdir(), 'retrigger-acceptance-'));
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ENTRIES[profile]], {
    env: {
      PATH: process.env.PATH,
      HOST: '127.0.0.1',
      PORT: '0',
      RETRIGGER_DATA_DIR: folder,
      RETRIGGER_API_KEY: KEY,
      RETRIGGER_ALLOW_PRIVATE_TARGETS: 'true',
      RETRIGGER_LOG_LEVEL: 'warn',
      RETRIGGER_LIMIT_USER_PER_HOUR: '0',
      RETRIGGER_LIMIT_TASK_PER_HOUR: '0',
      RETRIGGER_LIMIT_SYSTEM_PER_MINUTE: '0',
      ...env,
    },
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
    admin: new Client(url, KEY),
    async stop() {
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), LONGEST_STOP_MS);
      const [code] = await ended;
      clearTimeout(late);
      rmSync(folder, { recursive: true, force: true });
      if (code !== 0) throw new Error(`it ended with ${code}:\n${output.slice(-4_000)}`);
    },
  };
}
