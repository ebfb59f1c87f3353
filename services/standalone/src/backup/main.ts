import { resolve } from 'node:path';
import { backUp } from './compose.ts';

const [, , path] = process.argv;
const { isDone, message } = await backUp(path && resolve(process.env.INIT_CWD ?? '', path), process.env);
(isDone ? process.stdout : process.stderr).write(`${message}\n`);
process.exitCode = isDone ? 0 : 1;
