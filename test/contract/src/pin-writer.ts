// Works as a service does, as fast as it can: node pin-writer.ts FOLDER. A record n goes into the log, then its decision into the store, then the offset past it.
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

const folder = process.argv[2] ?? '';
const open = (name: string): DatabaseSync => {
  const db = new DatabaseSync(join(folder, name), { timeout: 10_000 });
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF');
  return db;
};
const [log, store] = [open('log.db'), open('store.db')];
log.exec('CREATE TABLE log (record INTEGER NOT NULL, next INTEGER NOT NULL); INSERT INTO log VALUES (0, 0)');
store.exec('CREATE TABLE store (decision INTEGER NOT NULL); INSERT INTO store VALUES (0)');
const append = log.prepare('UPDATE log SET record = ?');
const decide = store.prepare('UPDATE store SET decision = ?');
const commit = log.prepare('UPDATE log SET next = ?');
process.stdout.write('it writes\n');
for (let n = 1; ; n++) {
  append.run(n);
  decide.run(n);
  commit.run(n);
}
