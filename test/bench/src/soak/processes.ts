import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type Inspected, inspect } from './inspector.ts';

const SERVICES = join(import.meta.dirname, '../../../../services');
const STARTED_WITHIN_MS = 60_000;

/** A service under observation. */
export type Watched = Inspected & { name: string; pid: number; stop(): Promise<void> };

const READY = /listening on (http:\/\/[\d.]+:\d+)|(has joined)/;
const INSPECTOR = /Debugger listening on (ws:\S+)/;

const saidBy = (child: ChildProcess, stream: 'stdout' | 'stderr', pattern: RegExp): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = '';
    child[stream]?.setEncoding('utf8').on('data', (chunk: string) => {
      text = (text + chunk).slice(-10_000);
      const found = pattern.exec(text);
      if (found !== null) resolve(found[1] ?? found[0]);
    });
    child.once('exit', () => reject(new Error(`it ended before it was ready:\n${text}`)));
    setTimeout(() => reject(new Error(`not ready after ${STARTED_WITHIN_MS} ms:\n${text}`)), STARTED_WITHIN_MS).unref();
  });

/** Starts a service as it is started in production, and looks into it. `url` is where it listens, if it does. */
export async function startWatched(name: string, env: { [variable: string]: string }): Promise<Watched & { url: string }> {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--inspect=127.0.0.1:0', join(SERVICES, name, 'src/main.ts')],
    { env: { PATH: process.env.PATH, ...env }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  process.once('exit', () => child.kill('SIGKILL'));
  try {
    const [address, url] = await Promise.all([saidBy(child, 'stderr', INSPECTOR), saidBy(child, 'stdout', READY)]);
    const inspected = await inspect(address);
    return {
      ...inspected,
      name,
      pid: child.pid ?? 0,
      url,
      async stop() {
        inspected.close();
        if (child.exitCode !== null || child.signalCode !== null)
          throw new Error(`${name} has ended with ${child.exitCode ?? child.signalCode}`);
        child.kill('SIGTERM');
        await once(child, 'exit');
      },
    };
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
}
