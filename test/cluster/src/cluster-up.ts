import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kafka } from 'kafkajs';
import { addresses, cluster } from './servers.ts';

/** The cluster in RETRIGGER_CLUSTER_DIR, which stays up; without that, one of our own that is taken down at the end. A server that does not start fails the run. */
export default async function clusterUp(): Promise<() => Promise<void>> {
  const run = randomBytes(4).toString('hex');
  process.env.RETRIGGER_TEST_RUN = run;
  if (process.env.RETRIGGER_CLUSTER_DIR !== undefined) {
    await cluster('up');
    return () => removeTopics(`test-${run}-`);
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

/** A broker that keeps the topics of many runs takes long to start, and some tests start it. */
async function removeTopics(prefix: string): Promise<void> {
  const brokers = (await addresses()).get('RETRIGGER_KAFKA_BROKERS')?.split(',') ?? [];
  const admin = new Kafka({ brokers, logLevel: 0 }).admin();
  await admin.connect();
  await admin.deleteTopics({ topics: (await admin.listTopics()).filter((topic) => topic.startsWith(prefix)) });
  await admin.disconnect();
}
