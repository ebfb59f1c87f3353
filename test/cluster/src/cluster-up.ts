import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cluster } from './servers.ts';

/** The cluster in RETRIGGER_CLUSTER_DIR, which stays up; without that, one of our own that is taken down at the end. A server that does not start fails the run. */
export default async function clusterUp(): Promise<() => Promise<void>> {
  if (process.env.RETRIGGER_CLUSTER_DIR !== undefined) {
    await cluster('up');
    return async () => {};
  }
  const parent = mkdtempSync(join(tmpdir(), 'retrigger-kafka-'));
  process.env.RETRIGGER_CLUSTER_DIR = join(parent, 'cluster');
  const down = async () => {
    await cluster('down');
    rmSync(parent, { recursive: true, force: true });
  };
  await cluster('up').catch(async (error: unknown) => {
    await down();
    throw error;
  });
  return down;
}
