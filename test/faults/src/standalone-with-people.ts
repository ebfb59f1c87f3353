// The standalone service with the people of the erasure test: node standalone-with-people.ts PEOPLE POINT N
// PEOPLE is JSON: [{ key, userId, roles }]. At the Nth time that a batch reaches POINT the process kills itself with SIGKILL.
import { apiKeys } from '@retrigger/gateway/credentials.ts';
import { run } from '@retrigger/lifecycle/run.ts';
import { composeStandalone } from '@retrigger/standalone/compose.ts';

const [, , people = '[]', point, nth] = process.argv;
let left = Number(nth);

await run(() =>
  composeStandalone(process.env, {
    credentials: apiKeys(
      JSON.parse(people).map(({ key, ...caller }: { key: string }) => ({ key, caller: { tenantId: 'default', ...caller } })),
    ),
    reached(place) {
      if (place === point && --left === 0) process.kill(process.pid, 'SIGKILL');
    },
  }),
);
