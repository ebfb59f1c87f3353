import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Outside of the repository: what is only compared with must not become a dependency of what is shipped. */
export const PEERS = process.env.BENCH_PEERS ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'retrigger', 'bench-peers');

export const PEER_VERSIONS = {
  bullmq: '6.7.0',
  ioredis: '6.0.0',
  'pg-boss': '12.38.0',
  'graphile-worker': '0.18.0',
  pg: '8.23.1',
} as const;

type Peer = keyof typeof PEER_VERSIONS;

const installed = (name: string): string | undefined => {
  const file = join(PEERS, 'node_modules', name, 'package.json');
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).version : undefined;
};

/** Installs the peers at these very versions, by npm, where they are not there yet. @throws when npm fails. */
export function installPeers(): void {
  const wanted = Object.entries(PEER_VERSIONS);
  if (wanted.every(([name, version]) => installed(name) === version)) return;
  mkdirSync(PEERS, { recursive: true });
  writeFileSync(join(PEERS, 'package.json'), JSON.stringify({ private: true, dependencies: PEER_VERSIONS }, null, 2));
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts'], { cwd: PEERS, stdio: ['ignore', 'ignore', 'inherit'] });
}

/** What a peer exports; `T` is the part of it that is called here. */
export const peer = <T>(name: Peer): T => createRequire(join(PEERS, 'package.json'))(name) as T;

export const versionsOf = (...names: Peer[]): { [name: string]: string } =>
  Object.fromEntries(names.map((name) => [name, installed(name) ?? 'missing']));
