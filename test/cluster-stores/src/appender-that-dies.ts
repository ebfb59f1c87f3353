import { systemClock } from '@retrigger/lifecycle/system-clock.ts';
import { connectMongo } from '@retrigger/mongo/mongo-client.ts';
import { MongoEventStore } from '@retrigger/mongo/mongo-event-store.ts';
import { unobserved } from '@retrigger/ports/reached.ts';
import { batchOf } from './samples.ts';

/**
 * `<url> <where>`: appends batches of 20 tasks with 5 events each, one after the other, and says which. With `within` it kills itself inside the second batch;
 * with `outside` it goes on until somebody else does.
 */
const [url = '', where = ''] = process.argv.slice(2);
let batch = 0;
const dieWithin = () => {
  if (batch === 2) process.kill(process.pid, 'SIGKILL');
};
const events = new MongoEventStore(await connectMongo(url, systemClock), where === 'within' ? dieWithin : unobserved);
for (;;) {
  batch++;
  const tasks = Array.from({ length: 20 }, (_, n) => `b${batch}-t${n}`);
  process.stdout.write(`begun ${batch}\n`);
  await events.append(batchOf(tasks, 5));
  process.stdout.write(`stored ${batch}\n`);
}
