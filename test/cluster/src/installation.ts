import { execFile } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { closeSync, mkdirSync, openSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { addresses } from './servers.ts';

/** The server secret and the first API key of every installation. */
export const SECRET = 'the-secret-of-a-test-installation';
export const API_KEY = 'the-first-key-of-a-test-installation';
export const PARTITIONS = 8;

/** Settings by variable. */
export type InstallationSettings = { [variable: string]: string } & { RETRIGGER_KAFKA_PREFIX: string };

/** The settings of an installation on the running cluster whose topics, groups, databases and limits are nobody else's. */
export async function freshInstallation(): Promise<InstallationSettings> {
  const servers = await addresses();
  const name = `test${randomBytes(6).toString('hex')}`;
  const within = (variable: string, path: string): string => {
    const url = new URL(servers.get(variable) ?? '');
    url.pathname = `/${path}`;
    return url.href;
  };
  return {
    ...Object.fromEntries(servers),
    RETRIGGER_KAFKA_PREFIX: `${name}.`,
    RETRIGGER_KAFKA_REPLICATION_FACTOR: '1',
    RETRIGGER_KAFKA_MIN_INSYNC_REPLICAS: '1',
    RETRIGGER_PARTITIONS: String(PARTITIONS),
    RETRIGGER_MONGODB_URL: within('RETRIGGER_MONGODB_URL', name),
    RETRIGGER_REDIS_URL: within('RETRIGGER_REDIS_URL', String(await freeRedisDatabase(servers.get('RETRIGGER_REDIS_URL') ?? ''))),
    RETRIGGER_SECRET: SECRET,
    RETRIGGER_API_KEY: API_KEY,
  };
}

/**
 * A port that is free together with those after it, `count` in all, below those that the system gives to outgoing connections. Nobody else who asks here gets any of
 * them for five minutes, in which whoever asked begins to listen.
 */
export async function freePorts(count: number): Promise<number> {
  for (;;) {
    const port = randomInt(12_000, 20_000);
    const ports = Array.from({ length: count }, (_, i) => port + i);
    const free = await Promise.all(ports.map(isFree));
    if (free.every(Boolean) && ports.every(isClaimed)) return port;
  }
}

const CLAIMED_FOR_MS = 300_000;

/** By a file, beside those by which cluster.sh claims its own; false when somebody else has it. */
function isClaimed(port: number): boolean {
  const claims = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'retrigger', 'ports');
  const file = join(claims, String(port));
  mkdirSync(claims, { recursive: true });
  const before = statSync(file, { throwIfNoEntry: false });
  if (before !== undefined && Date.now() - before.mtimeMs > CLAIMED_FOR_MS) rmSync(file, { force: true });
  try {
    closeSync(openSync(file, 'wx'));
    return true;
  } catch {
    return false;
  }
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** The cluster's Redis has 1,024 databases; the first counts those that were given away. */
async function freeRedisDatabase(url: string): Promise<number> {
  const { stdout } = await promisify(execFile)('redis-cli', ['-u', url, 'incr', 'test:databases']);
  return 1 + (Number(stdout) % 1_000);
}
