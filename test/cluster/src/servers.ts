import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const SCRIPT = join(import.meta.dirname, '../../../deploy/local/cluster.sh');

/** Runs `cluster.sh`; resolves with what it printed. @throws when it fails, with its complaint. */
export const cluster = (...args: string[]): Promise<string> => clusterWithin([], ...args);

/** The same, started by another command, e.g. one that enters a namespace: the servers that it starts are in there. */
export async function clusterWithin(within: string[], ...args: string[]): Promise<string> {
  const [command = '', ...more] = [...within, SCRIPT, ...args];
  const { stdout } = await promisify(execFile)(command, more);
  return stdout;
}

/** The addresses of the running cluster, by variable name. */
export async function addresses(): Promise<Map<string, string>> {
  const lines = (await cluster('env')).matchAll(/^export (\w+)=(.*)$/gm);
  return new Map([...lines].map(([, name = '', value = '']) => [name, value]));
}
