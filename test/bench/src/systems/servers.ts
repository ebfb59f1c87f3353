import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { peer } from './peer-library.ts';
import { until } from './worker-process.ts';

/** A server on loopback, on a free port, with data in a folder of its own that goes with it. */
export type Server = { port: number; pid: number; stop(): Promise<void> };

export type Fsync = 'always' | 'everysec';

const KILL_AFTER_MS = 20_000;

/** What is missing on this machine for a server; undefined: nothing. */
export function missingFor(server: 'redis' | 'postgres'): string | undefined {
  const commands = server === 'redis' ? ['redis-server'] : ['initdb', 'postgres'];
  const missing = commands.filter((command) => spawnSync(command, ['--version']).error !== undefined);
  if (missing.length > 0) return `${missing.join(' and ')} on PATH`;
  return server === 'postgres' && isRoot && postgresUser() === undefined
    ? 'a user named postgres (its server does not run as root)'
    : undefined;
}

export async function startRedis(appendfsync: Fsync): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'retrigger-redis-'));
  const port = await freePort();
  const settings = { port, bind: '127.0.0.1', dir: folder, save: '', appendonly: 'yes', appendfsync, 'maxmemory-policy': 'noeviction' };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  return serverOf(spawn('redis-server', args, { stdio: 'ignore' }), folder, {
    port,
    answers: () => listens(port),
    politely: 'SIGTERM',
  });
}

/** With the configuration that `initdb` makes. */
export async function startPostgres(): Promise<Server & { url: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'retrigger-postgres-'));
  const port = await freePort();
  const user = isRoot ? postgresUser() : undefined;
  if (user !== undefined) chownSync(folder, user.uid, user.gid);
  const as = { ...user, cwd: folder };
  execFileSync('initdb', ['-D', folder, '-A', 'trust', '-U', 'postgres', '--no-instructions', '--no-sync'], { ...as, stdio: 'ignore' });
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  const child = spawn('postgres', ['-D', folder, '-p', String(port), '-k', folder, '-c', 'listen_addresses=127.0.0.1'], {
    ...as,
    stdio: 'ignore',
  });
  return { ...(await serverOf(child, folder, { port, answers: () => postgresAnswers(url), politely: 'SIGINT' })), url };
}

const isRoot = process.getuid?.() === 0;

function postgresUser(): { uid: number; gid: number } | undefined {
  const [uid, gid] = ['-u', '-g'].map((which) => Number(spawnSync('id', [which, 'postgres']).stdout || Number.NaN));
  return uid === undefined || gid === undefined || Number.isNaN(uid + gid) ? undefined : { uid, gid };
}

type Kind = { port: number; answers(): Promise<boolean>; politely: NodeJS.Signals };

/** Whatever ends this process ends the server too. */
async function serverOf(child: ChildProcess, folder: string, { port, answers, politely }: Kind): Promise<Server> {
  const ended = once(child, 'exit');
  const remove = () => rmSync(folder, { recursive: true, force: true });
  const kill = () => {
    child.kill('SIGKILL');
    remove();
  };
  process.once('exit', kill);
  await until(`a server on ${port}`, answers, KILL_AFTER_MS);
  return {
    port,
    pid: child.pid ?? 0,
    async stop() {
      child.kill(politely);
      const timer = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS);
      await ended;
      clearTimeout(timer);
      remove();
      process.off('exit', kill);
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('unreachable');
  return address.port;
}

function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  return new Promise((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  }).then((isUp) => {
    socket.destroy();
    return isUp === true;
  });
}

type Pg = {
  Client: new (options: object) => { connect(): Promise<void>; end(): Promise<void>; on(event: 'error', heard: () => void): void };
};

/** It listens before it lets anybody in. */
async function postgresAnswers(url: string): Promise<boolean> {
  const client = new (peer<Pg>('pg').Client)({ connectionString: url });
  client.on('error', () => {});
  const isUp = await client.connect().then(
    () => true,
    () => false,
  );
  if (isUp) await client.end();
  return isUp;
}
