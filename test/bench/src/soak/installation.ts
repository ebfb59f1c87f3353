import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { API_KEY, freePorts, freshInstallation } from '@retrigger/test-cluster/installation.ts';
import { BASE_ENV } from '../subject.ts';
import { startWatched, type Watched } from './processes.ts';

/** What is under the soak: one process on a data folder, or one of each service on the running cluster. */
export type Soaked = {
  url: string;
  /** Where whoever owns the partitions tells how late it is. */
  metricsUrl: string;
  key: string;
  processes: Watched[];
  /** MiB of the embedded profile's files, by name; none in a cluster. */
  files(): { [name: string]: number };
  stop(): Promise<void>;
};

const FILES = ['log.db', 'log.db-wal', 'store.db', 'store.db-wal'];

export async function startEmbedded(): Promise<Soaked> {
  const folder = mkdtempSync(join(tmpdir(), 'retrigger-soak-'));
  const process = await startWatched('standalone', { ...BASE_ENV, RETRIGGER_DATA_DIR: folder, RETRIGGER_API_KEY: API_KEY });
  const sizeOf = (name: string): number => (statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0) / 2 ** 20;
  return {
    url: process.url,
    metricsUrl: `${process.url}/metrics`,
    key: API_KEY,
    processes: [process],
    files: () => Object.fromEntries(FILES.map((name) => [name, sizeOf(name)])),
    async stop() {
      await process.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export async function startCluster(): Promise<Soaked> {
  const env = { ...BASE_ENV, ...(await freshInstallation()) };
  const port = await freePorts(1);
  const worker = await startWatched('worker', { ...env, RETRIGGER_HEALTH_PORT: String(port) });
  const others = await Promise.all(['dispatcher', 'notifier'].map((name) => startWatched(name, env)));
  const gateway = await startWatched('gateway', env);
  const processes = [gateway, worker, ...others];
  return {
    url: gateway.url,
    metricsUrl: `http://127.0.0.1:${port}/metrics`,
    key: API_KEY,
    processes,
    files: () => ({}),
    async stop() {
      for (const process of processes) await process.stop();
    },
  };
}
