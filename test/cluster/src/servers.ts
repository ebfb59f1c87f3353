import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const SCRIPT = join(import.meta.dirname, '../../../deploy/local/cluster.sh');

/** Runs `cluster.sh`; resolves with what it printed. @throws when it fails, with its complaint. */
export async function cluster(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(SCRIPT, args);
  return stdout;
}

/** The addresses of the running cluster, by variable name. */
export async function addresses(): Promise<Map<string, string>> {
  const lines = (await cluster('env')).matchAll(/^export (\w+)=(.*)$/gm);
  return new Map([...lines].map(([, name = '', value = '']) => [name, value]));
}
