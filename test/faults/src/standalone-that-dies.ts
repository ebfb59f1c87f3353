// The standalone service with a place to die: node standalone-that-dies.ts POINT N STORE
// At the Nth time that a batch reaches POINT the process kills itself with SIGKILL. STORE is `transaction` or `steps`. With a fourth argument, `later`, it counts
// from SIGUSR2 on.
import { run } from '@retrigger/lifecycle/run.ts';
import { composeStandalone } from '@retrigger/standalone/compose.ts';

const [, , point, nth, store, from] = process.argv;
let left = Number(nth);
let isCounting = from !== 'later';
process.on('SIGUSR2', () => {
  isCounting = true;
});

await run(() =>
  composeStandalone(process.env, {
    writeInSteps: store === 'steps',
    reached(place) {
      if (isCounting && place === point && --left === 0) process.kill(process.pid, 'SIGKILL');
    },
  }),
);
