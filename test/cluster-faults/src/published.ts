import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const ROOT = join(import.meta.dirname, '../../..');
const BLOCK = /## Commands by Kafka[\s\S]*?```sh\n([\s\S]*?)```/;

/** The README's shell lines about commands by Kafka, to the letter. */
export const readmeLines = (): string => BLOCK.exec(readFileSync(join(ROOT, 'README.md'), 'utf8'))?.[1] ?? '';

/** Those that define how a command is signed and published, without the commands of the example. */
const definitions = (): string => readmeLines().split(/^(?=publish default)/m)[0] ?? '';

/** Runs shell lines where the README says that they are run. @throws with what they complained of. */
export async function shell(lines: string, env: { [name: string]: string }): Promise<string> {
  const { stdout } = await promisify(execFile)('bash', ['-euc', lines], { cwd: ROOT, env: { ...process.env, ...env } });
  return stdout;
}

/** Publishes commands as the README shows it; `kcat`: further arguments for it. */
export async function publish(env: { [name: string]: string }, commands: [key: string, command: object][], kcat = ''): Promise<void> {
  const withMore = definitions().replace('kcat -P ', `kcat -P ${kcat} `);
  const lines = commands.map(([key], n) => `publish '${key}' "$COMMAND_${n}"`);
  const values = Object.fromEntries(commands.map(([, command], n) => [`COMMAND_${n}`, JSON.stringify(command)]));
  await shell([withMore, ...lines].join('\n'), { ...env, ...values });
}
