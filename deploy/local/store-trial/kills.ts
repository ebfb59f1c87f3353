import { setTimeout as delay } from 'node:timers/promises';
import { MongoClient } from 'mongodb';
import { expect, type Row } from './row.ts';

const WRITERS = 4;

/** Writes until the server is killed and gives the _ids that it acknowledged. */
async function writeUntilKilled(url: string, round: number, kill: () => void): Promise<string[]> {
  const client = new MongoClient(url, { writeConcern: { w: 'majority', j: true }, serverSelectionTimeoutMS: 2_000, retryWrites: false });
  const rows = client.db('store_trial').collection<Row>('kills');
  const acknowledged: string[] = [];
  let killed = false;
  const writers = Array.from({ length: WRITERS }, async (_, writer) => {
    for (let n = 0; !killed; n++) {
      const ids = Array.from({ length: 1 + (n % 20) }, (__, k) => `${round}/${writer}/${n}/${k}`);
      try {
        await rows.insertMany(
          ids.map((_id) => ({ _id })),
          { ordered: false },
        );
        acknowledged.push(...ids);
      } catch {
        killed = true;
      }
    }
  });
  // The moment of the kill is what varies, so this waits for no condition.
  await delay(150 + 37 * (round % 10));
  kill();
  killed = true;
  await Promise.all(writers);
  await client.close();
  return acknowledged;
}

/** Kills the server in the midst of writes and starts it again, `rounds` times; refuses when an acknowledged write of any round is gone. */
export async function survivesKills(url: string, rounds: number, act: (action: 'kill' | 'start') => void): Promise<string> {
  const acknowledged: string[] = [];
  for (let round = 0; round < rounds; round++) {
    acknowledged.push(...(await writeUntilKilled(url, round, () => act('kill'))));
    act('start');
    const client = await MongoClient.connect(url);
    const rows = await client.db('store_trial').collection<Row>('kills').find({}).project<Row>({ _id: 1 }).toArray();
    await client.close();
    const stored = new Set(rows.map((row) => row._id));
    const lost = acknowledged.filter((id) => !stored.has(id));
    expect(lost.length === 0, `round ${round} lost ${lost.length} of ${acknowledged.length}: ${lost.slice(0, 3).join(' ')}`);
  }
  return `${acknowledged.length} acknowledged`;
}
