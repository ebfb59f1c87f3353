// The worker process of a system under measurement: node worker-host.ts MODULE SETTINGS, with an IPC channel on which it tells what it ran.
import { now } from '../load.ts';
import type { RunWorker } from './system.ts';
import type { Said } from './worker-process.ts';

const TELL_EVERY_MS = 20;

const [, , module = '', settings = '{}'] = process.argv;
const { runWorker }: { runWorker: RunWorker } = await import(`./${module}.ts`);
let started: [task: string, at: number][] = [];
let [completed, at] = [0, 0];
const tell = (said: Said): void => void process.send?.(said);

function flush(): void {
  if (started.length + completed > 0) tell({ kind: 'ran', started, completed, at });
  started = [];
  completed = 0;
}

setInterval(flush, TELL_EVERY_MS);
const stop = await runWorker(JSON.parse(settings), {
  started: (task) => void started.push([task, now()]),
  completed(count) {
    completed += count;
    at = now();
  },
});
process.on('message', async () => {
  await stop();
  flush();
  process.exit(0);
});
process.on('disconnect', () => process.exit(1));
tell({ kind: 'ready' });
