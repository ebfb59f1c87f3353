// Appends records that nobody can read, under the given keys, to the work log in a data folder that no process uses.
import { join } from 'node:path';
import { systemClock } from '@retrigger/lifecycle/system-clock.ts';
import { TOPICS } from '@retrigger/ports/log.ts';
import { unobserved } from '@retrigger/ports/reached.ts';
import { openSqliteLog } from '@retrigger/sqlite/sqlite-log.ts';

const [folder = '', ...keys] = process.argv.slice(2);
/** As the standalone process makes them. */
const partitions = { [TOPICS.commands]: 8, [TOPICS.work]: 8, [TOPICS.events]: 8, [TOPICS.deadLetters]: 1 };
const opened = openSqliteLog(join(folder, 'log.db'), partitions, systemClock, unobserved);
if (opened.kind === 'mismatch') throw new Error(`the log has other topics: ${JSON.stringify(opened)}`);
await opened.log.append(
  TOPICS.work,
  keys.map((key) => ({ key, value: Buffer.from('no command'), headers: {} })),
);
await opened.log.close();
process.stdout.write('they are appended\n');
