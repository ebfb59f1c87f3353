import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { CrashPoint } from '@retrigger/ports/reached.ts';
import { kill } from '@retrigger/test-faults/child.ts';
import { eventually } from '@retrigger/test-gateway/eventually.ts';
import { describe, expect, test } from 'vitest';
import type { Worker } from './installation.ts';
import { everyPartitionDecides } from './take-over.ts';
import { UnderLoad } from './under-load.ts';

const LONGEST_TAKE_OVER_MS = 15_000;
/** Before anything is stored, in the middle of storing, and stored but not told. */
const PLACES: CrashPoint[] = ['decided', 'within-events', 'snapshots-saved'];

const isStopped = async ({ process }: Worker): Promise<boolean> => {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'stat=', '-p', String(process.pid)]);
  return stdout.startsWith('T');
};

async function takesOver({ door }: UnderLoad, after: string): Promise<void> {
  const takeOverMs = await everyPartitionDecides(door, 'after');
  process.stdout.write(`take-over after ${after}: ${takeOverMs} ms\n`);
  expect(takeOverMs).toBeLessThan(LONGEST_TAKE_OVER_MS);
}

/** One after the other: what is measured is the take-over, not what else the machine does. */
describe('one of two workers', () => {
  test('is killed under load: the other takes over within 15 s, nothing is lost or doubled', async () => {
    const used = await UnderLoad.start();
    try {
      const { one, two } = used;
      const load = used.load('killed');
      await used.work(one, two);
      await kill(one);
      await takesOver(used, 'SIGKILL');
      await used.goesOn(load);
      expect(await used.settle(load)).toEqual([]);
      const lost = { key: `default/${load.tasks[0]}`, commandId: 'lost', kind: 'accepted' as const, answer: {} };
      expect(await used.settle(load, [lost]), 'what is lost is found').toHaveLength(1);
    } finally {
      await used.end();
    }
  });

  test.each(PLACES)('is paused past its session in the middle of a batch (%s) and continued: nothing is lost or doubled', async (point) => {
    const used = await UnderLoad.start({ point, nth: 20, signal: 'SIGSTOP' });
    try {
      const { one } = used;
      const load = used.load(point);
      await eventually('it has stopped', () => isStopped(one), 120_000);
      await takesOver(used, `SIGSTOP at ${point}`);
      await used.goesOn(load);
      one.process.kill('SIGCONT');
      await used.work(one); // it has partitions again
      expect(await used.settle(load)).toEqual([]);
    } finally {
      await used.end();
    }
  });
});
