// Does a server that speaks MongoDB's protocol do what the store needs? Prints a line for each thing and ends with 1 when one fails.
//   deploy/local/cluster.sh up && node deploy/local/store-trial/main.ts [rounds of kill -9, default 20]
// It works on the cluster that cluster.sh finds, in a database of its own; the rounds kill that cluster's MongoDB server.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { survivesKills } from './kills.ts';
import { promises } from './promises.ts';
import { fill, SNAPSHOTS, speeds } from './speeds.ts';

const script = join(import.meta.dirname, '..', 'cluster.sh');
const cluster = (...args: string[]): string => execFileSync(script, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
const url = /RETRIGGER_MONGODB_URL=(.+)/.exec(cluster('env'))?.[1];
if (url === undefined) throw new Error('cluster.sh env names no MongoDB');

let failures = 0;
function line(holds: boolean, name: string, detail: string): void {
  if (!holds) failures++;
  console.log(`${holds ? 'pass' : 'FAIL'}  ${name}${detail === '' ? '' : ` (${detail})`}`);
}

async function check(name: string, run: () => Promise<string>): Promise<void> {
  await run().then(
    (detail) => line(true, name, detail),
    (error: unknown) => line(false, name, String(error).slice(0, 300)),
  );
}

const client = await MongoClient.connect(url, { writeConcern: { w: 'majority', j: true }, serverSelectionTimeoutMS: 5_000 });
const db = client.db('store_trial');
await db.dropDatabase();
for (const [name, run] of promises) await check(name, () => run(db));
await check(`${SNAPSHOTS} snapshots and as many events are stored`, () => fill(db));
for (const { name, limitMs, run } of speeds(db)) {
  await check(name, async () => {
    const tookMs = await run();
    if (tookMs > limitMs) throw new Error(`${tookMs.toFixed(1)} ms, at most ${limitMs}`);
    return `${tookMs.toFixed(1)} ms, at most ${limitMs}`;
  });
}
await client.close();
const rounds = Number(process.argv[2] ?? 20);
await check(`${rounds} rounds of kill -9 lose no acknowledged write`, () =>
  survivesKills(url, rounds, (action) => cluster(action, 'mongo')),
);
process.exitCode = failures === 0 ? 0 : 1;
