import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

export type Child = {
  process: ChildProcess;
  /** Where it listens (what `readyWhen` captures); rejects with its output when it ends before it says so. */
  ready: Promise<string>;
  /** How it ended. */
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  output(): string;
};

const LISTENING = /listening on (http:\/\/[\d.]+:\d+)/;

/** Starts a TypeScript entry point as a process of its own. */
export const startChild = (entry: string, args: string[], env: Record<string, string>, readyWhen = LISTENING): Child =>
  startCommand(process.execPath, ['--disable-warning=ExperimentalWarning', entry, ...args], { env }, readyWhen);

export function startCommand(
  command: string,
  args: string[],
  { cwd, env }: { cwd?: string; env: Record<string, string> },
  readyWhen = LISTENING,
): Child {
  const child = spawn(command, args, {
    ...(cwd === undefined ? {} : { cwd }),
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  const ended = once(child, 'exit').then(([code, signal]) => ({ code, signal }));
  const ready = new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      text += chunk.toString();
      const said = readyWhen.exec(text);
      if (said !== null) resolve(said[1] ?? said[0]);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    void ended.then(({ code, signal }) => reject(new Error(`it ended with ${code ?? signal} before it was ready:\n${text}`)));
  });
  ready.catch(() => {}); // whoever needs it awaits it
  return { process: child, ready, ended, output: () => text };
}

/** Ends a child if it still runs; never leaves one behind. */
export async function kill(child: Child): Promise<void> {
  if (child.process.exitCode === null && child.process.signalCode === null) child.process.kill('SIGKILL');
  await child.ended;
}
