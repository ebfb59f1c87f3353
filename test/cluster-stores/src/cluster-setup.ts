import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { addressesIn, clusterScript } from './cluster.ts';

declare module 'vitest' {
  interface ProvidedContext {
    cluster: { folder: string; mongoUrl: string; redisUrl: string };
  }
}

/** The cluster in RETRIGGER_CLUSTER_DIR, which stays up; without that, one of our own that is taken down at the end. A server that does not start fails the run. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env.RETRIGGER_CLUSTER_DIR;
  const parent = given === undefined ? mkdtempSync(join(tmpdir(), 'retrigger-stores-')) : undefined;
  const folder = given ?? join(parent ?? '', 'cluster');
  const tearDown = async () => {
    if (parent === undefined) return;
    await clusterScript(folder, 'down');
    rmSync(parent, { recursive: true, force: true });
  };
  try {
    if (given === undefined) await clusterScript(folder, 'up');
    for (const server of ['mongo', 'redis']) await clusterScript(folder, 'start', server);
    const addresses = addressesIn(await clusterScript(folder, 'env'));
    const mongoUrl = addresses.get('RETRIGGER_MONGODB_URL');
    const redisUrl = addresses.get('RETRIGGER_REDIS_URL');
    if (mongoUrl === undefined || redisUrl === undefined) throw new Error('cluster.sh env names no MongoDB or no Redis');
    project.provide('cluster', { folder, mongoUrl, redisUrl });
  } catch (error) {
    await tearDown();
    throw error;
  }
  return tearDown;
}
