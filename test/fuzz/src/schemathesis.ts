import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const VERSION = '4.32.5';

/** Kept between runs, outside the project; made anew when it is not there. */
const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'retrigger');
const environment = join(cache, `schemathesis-${VERSION}`);

/** Runs Schemathesis with `folder` as its working directory; resolves with its exit code. @throws when it can't be installed. */
export async function runSchemathesis(folder: string, args: string[]): Promise<number> {
  if (!existsSync(join(environment, 'bin', 'schemathesis'))) await install();
  const child = spawn(join(environment, 'bin', 'python'), ['-m', 'schemathesis.cli', ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  // Its last line is pytest's for a run in which nothing ran but warnings came, which misleads whoever reads last lines.
  for await (const line of createInterface({ input: child.stdout }))
    if (!/^=+ .*\bin \S+s =+$/.test(line)) process.stdout.write(`${line}\n`);
  const [code] = await ended;
  return code ?? 1;
}

/** Into a folder of its own, which takes its name when it is complete: a run that was broken off leaves no half. */
async function install(): Promise<void> {
  mkdirSync(cache, { recursive: true });
  const half = `${environment}.${process.pid}`;
  try {
    for (const [command, ...args] of [
      ['python3', '-m', 'venv', half],
      [join(half, 'bin', 'pip'), 'install', '--quiet', '--disable-pip-version-check', `schemathesis==${VERSION}`],
    ] as [string, ...string[]][]) {
      const code = await run(command, args, cache);
      if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}`);
    }
    rmSync(environment, { recursive: true, force: true });
    renameSync(half, environment);
  } finally {
    rmSync(half, { recursive: true, force: true });
  }
}

async function run(command: string, args: string[], cwd: string): Promise<number> {
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] });
  const [code] = await once(child, 'exit');
  return code ?? 1;
}
