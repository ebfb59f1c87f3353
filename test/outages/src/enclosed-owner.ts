// Starts a shell in namespaces of its own, whose daemon says when it runs, and waits to be killed.
import { startEnclosed } from '@retrigger/test-faults/enclosed.ts';

const started = startEnclosed('sh', ['-c', `setsid sh -c 'echo the daemon runs; exec sleep infinity' & wait`]);
if (started === undefined) process.stdout.write('no namespaces can be made\n');
