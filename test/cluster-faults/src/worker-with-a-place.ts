// A worker with a place where something happens to it: node worker-with-a-place.ts POINT N SIGNAL
// At the Nth time that a batch reaches POINT the process sends SIGNAL to itself. It says when a batch is done.
import { run } from '@retrigger/lifecycle/run.ts';
import { composeWorker } from '@retrigger/worker/compose.ts';

const [, , point, nth, signal = 'SIGKILL'] = process.argv;
let left = Number(nth);

await run(() =>
  composeWorker(process.env, {
    reached(place) {
      if (place === 'committed') process.stdout.write('a batch is done\n');
      if (place === point && --left === 0) process.kill(process.pid, signal);
    },
  }),
);
