import type { CrashPoint } from '@retrigger/ports/reached.ts';
import { liveThroughCrash } from '@retrigger/test-faults/crash-scenario.ts';
import { startTarget } from '@retrigger/test-faults/target.ts';
import { describe, test } from 'vitest';
import { Installation } from './installation.ts';

const BETWEEN: CrashPoint[] = [
  'decoded',
  'loaded',
  'decided',
  'events-stored',
  'receipts-stored',
  'snapshots-saved',
  'emitted',
  'answered',
  'committed',
];
const WITHIN: CrashPoint[] = ['within-events', 'within-receipts', 'within-snapshots', 'within-emit'];

describe('a worker that is killed', () => {
  test.concurrent.each([...BETWEEN, ...WITHIN])('%s: nothing acknowledged is lost, nothing is decided twice', async (point) => {
    const installation = await Installation.fresh();
    const target = await startTarget();
    try {
      const victim = installation.startWorker({ point, nth: WITHIN.includes(point) ? 2 : 10, signal: 'SIGKILL' });
      const dispatcher = installation.start('dispatcher');
      const door = await installation.door();
      await Promise.all([victim.ready, dispatcher.ready]);
      await liveThroughCrash({
        before: door,
        died: () => victim.process.signalCode === 'SIGKILL',
        async restart() {
          await installation.startWorker().ready;
          return door;
        },
        target,
      });
    } finally {
      await installation.end();
      await target.stop();
    }
  });
});
