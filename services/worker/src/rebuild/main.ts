import { rebuildStore } from './compose.ts';

const { isDone, message } = await rebuildStore(process.argv[2], process.env);
(isDone ? process.stdout : process.stderr).write(`${message}\n`);
process.exitCode = isDone ? 0 : 1;
