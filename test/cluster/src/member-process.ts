import { systemClock } from '@retrigger/lifecycle/system-clock.ts';
import { silent } from '@retrigger/ports/observer.ts';
import { openLog, recorder, text } from './open-log.ts';

// A consumer in a process of its own, for tests that kill or pause it. What happens to it goes to stdout, a line of JSON each.
const say = (line: object) => process.stdout.write(`${JSON.stringify({ ...line, at: Date.now() })}\n`);

const options = JSON.parse(process.argv[2] ?? '{}');
const log = await openLog({ ...options, clock: systemClock, observer: silent });
const handler = recorder();
await log.consume('work', 'g', {
  async assigned(partitions) {
    say({ assigned: partitions });
  },
  async revoked(partitions) {
    say({ revoked: partitions });
  },
  async batch(partition, records, commit) {
    say({ batch: records.map(text) });
    await handler.batch(partition, records, commit);
  },
});
