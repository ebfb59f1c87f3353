import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const SCRIPT = join(import.meta.dirname, '../../../deploy/local/cluster.sh');
const run = promisify(execFile);

/** deploy/local/cluster.sh on the cluster in `folder`; rejects with what it said when it fails. */
export async function clusterScript(folder: string, ...args: string[]): Promise<string> {
  const { stdout } = await run(SCRIPT, args, { env: { ...process.env, RETRIGGER_CLUSTER_DIR: folder } });
  return stdout;
}

/** What `cluster.sh env` prints, by variable. */
export function addressesIn(text: string): Map<string, string> {
  return new Map([...text.matchAll(/^export (\w+)=(.+)$/gm)].map(([, name = '', value = '']) => [name, value]));
}
