// node main.ts archive · node main.ts restore FILE
import { archiveOnce, restoreToCluster } from './compose.ts';

const [, , what, path] = process.argv;
const { isDone, message } = await (what === 'restore' ? restoreToCluster(path, process.env) : archiveOnce(process.env));
(isDone ? process.stdout : process.stderr).write(`${message}\n`);
process.exitCode = isDone ? 0 : 1;
