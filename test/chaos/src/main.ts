// npm run test:faults [-- --minutes 10 --seed 7 --kinds killed,paused]
// Starts cluster-under-faults.ts so that nothing of it is left on the machine, whatever becomes of this process.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { startEnclosed } from '@retrigger/test-faults/enclosed.ts';

const [node, args] = [
  process.execPath,
  [...process.execArgv, join(import.meta.dirname, 'cluster-under-faults.ts'), ...process.argv.slice(2)],
];
const inside = startEnclosed(node, args);
if (inside === undefined) process.stdout.write('no namespaces can be made here (that needs Linux): kill -9 would leave a cluster behind\n');
const run = inside ?? spawn(node, args, { stdio: ['pipe', 'inherit', 'inherit'] });
process.on('SIGINT', () => {}); // it goes to all of them
process.on('SIGTERM', () => run.stdin?.end());
const [code] = await once(run, 'exit');
process.exit(code ?? 1);
