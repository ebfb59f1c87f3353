import { MemoryLog } from '@retrigger/memory/memory-log.ts';
import { VirtualClock } from '@retrigger/memory/virtual-clock.ts';
import { unobserved } from '@retrigger/ports/reached.ts';
import { describe, expect, onTestFinished, test } from 'vitest';
import { eventually, gate } from './eventually.ts';
import { commitAll, RecordingHandler, textRecord } from './recording-handler.ts';

const DEADLINE_MS = 20_000;

function open(partitions = 1): { log: MemoryLog; clock: VirtualClock } {
  const clock = new VirtualClock(1_772_000_000_000);
  const log = new MemoryLog({ topic: partitions }, clock, unobserved);
  onTestFinished(() => log.close());
  return { log, clock };
}

describe('memory log: what only tests do', () => {
  test('a stolen partition works at its new owner while the old one, paused, still runs its batch; only the new one moves the offset', async () => {
    const { log } = open();
    const [entered, leave] = [gate(), gate()];
    const paused = new RecordingHandler(async (batch) => {
      entered.open();
      await leave.opened;
      await commitAll(batch);
    });
    const thief = new RecordingHandler(async ({ commit }) => void (await commit(1)));
    await log.consume('topic', 'group', paused);
    const second = await log.consume('topic', 'group', thief);
    await log.append('topic', [textRecord('a', 'one'), textRecord('a', 'two')]);
    await entered.opened;
    await log.reassign('topic', 'group', 0, second);
    await eventually('the new owner has both records', DEADLINE_MS, () => thief.records.length === 2);
    expect(paused.owned).toEqual(new Set([0]));
    expect(thief.texts()).toEqual(paused.texts());
    leave.open();
    await eventually('the old owner is told', DEADLINE_MS, () => paused.owned.size === 0);
    expect(log.committed('topic', 'group', 0)).toBe(1);
    await log.append('topic', [textRecord('a', 'three')]);
    await eventually('the third record', DEADLINE_MS, () => thief.records.length === 3);
    expect(paused.records).toHaveLength(2);
  });

  test('an append can be rejected, with its records in the log or not', async () => {
    const { log } = open();
    const faults = ['rejected-and-lost', 'rejected-and-kept', undefined] as const;
    let calls = 0;
    log.appendFault = () => faults[calls++];
    await expect(log.append('topic', [textRecord('a', 'lost')])).rejects.toThrow('rejected');
    await expect(log.append('topic', [textRecord('a', 'kept')])).rejects.toThrow('rejected');
    await log.append('topic', [textRecord('a', 'fine')]);
    expect(log.records('topic').map(({ value }) => new TextDecoder().decode(value))).toEqual(['kept', 'fine']);
  });

  test('a crash inside an append leaves its first record', async () => {
    const log = new MemoryLog({ topic: 1 }, new VirtualClock(0), () => {
      throw new Error('planted');
    });
    await expect(log.append('topic', [textRecord('a', 'one'), textRecord('a', 'two')])).rejects.toThrow('planted');
    expect(log.records('topic')).toHaveLength(1);
  });

  test('the pause before a batch comes again is the clock’s, so a virtual one decides when', async () => {
    const { log, clock } = open();
    let throwsLeft = 1;
    const handler = new RecordingHandler(async (batch) => {
      if (throwsLeft-- > 0) throw new Error('planted');
      await commitAll(batch);
    });
    await log.consume('topic', 'group', handler);
    await log.append('topic', [textRecord('a', 'one')]);
    await eventually('the pause', DEADLINE_MS, () => clock.nextTimer() !== null);
    expect(handler.batches).toHaveLength(1);
    await clock.advance(1_000);
    await eventually('the batch again', DEADLINE_MS, () => handler.batches.length === 2);
    expect(log.committed('topic', 'group', 0)).toBe(1);
  });
});
