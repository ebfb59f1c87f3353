import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { now } from '../load.ts';

/** The process that runs what a system under measurement triggers. */
export type WorkerProcess = {
  pid: number;
  /** Told of every start, by the monotonic clock that all processes share. */
  onStarted(heard: (task: string, at: number) => void): void;
  /** When the `count`-th completion since it began was recorded. */
  completed(count: number): Promise<number>;
  /** How many have started. */
  readonly started: number;
  stop(): Promise<void>;
};

/** What it says, every 20 ms at most, so that telling costs little: tasks and when they started, how many ended since, and when the last of them did. */
export type Said = { kind: 'ready' } | { kind: 'ran'; started: [task: string, at: number][]; completed: number; at: number };

const LONGEST_MS = 120_000;
const STOP_MS = 10_000;

/** `module` of this folder is a file that exports `runWorker`. */
export async function startWorkerProcess(module: string, settings: { [name: string]: string }): Promise<WorkerProcess> {
  const child = fork(join(import.meta.dirname, 'worker-host.ts'), [module, JSON.stringify(settings)], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  let hear: (task: string, at: number) => void = () => {};
  const isReady = Promise.withResolvers<void>();
  let [started, completed, lastAt] = [0, 0, 0];
  child.on('message', (said: Said) => {
    if (said.kind === 'ready') return isReady.resolve();
    for (const [task, at] of said.started) hear(task, at);
    started += said.started.length;
    completed += said.completed;
    if (said.completed > 0) lastAt = said.at;
  });
  const ended = once(child, 'exit');
  void ended.then(([code]) => isReady.reject(new Error(`the worker of ${module} ended with ${code}`)));
  await isReady.promise;
  return {
    pid: child.pid ?? 0,
    onStarted(heard) {
      hear = heard;
    },
    async completed(count) {
      await until(`${count} completions, ${completed} so far`, () => completed >= count);
      return lastAt;
    },
    get started() {
      return started;
    },
    async stop() {
      child.send('stop');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}

/** Looks every 5 ms. @throws after two minutes, naming what did not come. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>, withinMs = LONGEST_MS): Promise<void> {
  for (const end = now() + withinMs; !(await isSo()); ) {
    if (now() > end) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
