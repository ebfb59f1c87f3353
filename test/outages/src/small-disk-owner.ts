// Makes a small disk at a folder, starts a process that sees it, says who that is, and waits to be killed.
import { startCommand } from '@retrigger/test-faults/child.ts';
import { PrivateMounts } from '@retrigger/test-faults/small-disk.ts';

const mounts = await PrivateMounts.make();
await mounts.disk(process.argv[2] ?? '', 2);
const [command = '', ...args] = [...mounts.within, 'sh', '-c', 'echo it runs && exec sleep infinity'];
const started = startCommand(command, args, { env: {} }, /it runs/);
await started.ready;
process.stdout.write(`process ${started.process.pid}\n`);
