// The standalone service with a place to die: node standalone-that-dies.ts POINT N STORE
// At the Nth time that a batch reaches POINT the process kills itself with SIGKILL. STORE is `transaction` or `steps`.
import { run } from '@retrigger/lifecycle/run.ts';
import { composeStandalone } from '@retrigger/standalone/compose.ts';

const [, , point, nth, store] = process.argv;
let left = Number(nth);

await run(() =>
  composeStandalone(process.env, {
    writeInSteps: store === 'steps',
    reached(place) {
      if (place === point && --left === 0) process.kill(process.pid, 'SIGKILL');
    },
  }),
);
