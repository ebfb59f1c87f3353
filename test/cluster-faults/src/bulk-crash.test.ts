import type { CrashPoint } from '@retrigger/ports/reached.ts';
import { liveThroughBulkCrash } from '@retrigger/test-faults/bulk-crash-scenario.ts';
import { describe, test } from 'vitest';
import { Installation } from './installation.ts';

/** The scenario makes 16 tasks first, one after the other, of one document each; what comes then is the bulks'. */
const PLACES: [CrashPoint, number][] = [
  ['decided', 20],
  ['events-stored', 24],
  ['receipts-stored', 20],
  ['snapshots-saved', 24],
  ['emitted', 20],
  ['answered', 24],
  ['within-events', 2],
];

describe('a worker that is killed while overlapping bulks are under way', () => {
  test.concurrent.each(PLACES)('%s: each is all or none, and what was told is so', async (point, nth) => {
    const installation = await Installation.fresh();
    try {
      const victim = installation.startWorker({ point, nth, signal: 'SIGKILL' });
      const door = await installation.door();
      await victim.ready;
      const died = () => victim.process.signalCode === 'SIGKILL';
      const restart = async () => {
        await installation.startWorker().ready;
        return door;
      };
      await liveThroughBulkCrash({ before: door, died, restart }, door);
    } finally {
      await installation.end();
    }
  });
});
