import { lockDataFolder } from '@retrigger/sqlite/data-folder-lock.ts';

/** A process that holds a data folder until it is killed; says what it was told. */
const { kind } = lockDataFolder(process.argv[2] ?? '');
globalThis.gc?.(); // a lock that nobody refers to is held all the same
process.stdout.write(`${kind}\n`);
if (kind === 'locked') setInterval(() => {}, 60_000);
