// A process that does nothing but write: node writes-only-child.ts DATABASE TRANSACTIONS, a megabyte each.
import { GroupCommit } from '@retrigger/sqlite/group-commit.ts';
import { openDatabase } from '@retrigger/sqlite/open-database.ts';
import { walSync } from '@retrigger/sqlite/wal-sync.ts';

const [, , path = '', transactions] = process.argv;
const db = openDatabase(path, ['CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT) STRICT']);
const commit = new GroupCommit(db, walSync(path));
const insert = db.prepare('INSERT INTO t VALUES (?, ?)');
const text = 'x'.repeat(1_048_576);
for (let i = 0; i < Number(transactions); i++) await commit.submit(() => insert.run(i, text));
await commit.close();
db.close();
