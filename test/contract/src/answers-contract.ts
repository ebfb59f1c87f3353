import type { Answer, Answers } from '@retrigger/ports/answers.ts';
import { describe, expect, onTestFinished, test } from 'vitest';
import { eventually, unique } from './eventually.ts';

export type OpenAnswers = {
  /** The waiting side. */
  door: Answers;
  /** The answering side: another process's where the technology has processes, else the same. */
  worker: Answers;
  /** How many the door still has waiting. */
  waiting(): number;
  close(): Promise<void>;
};

export type AnswersAdapter = { open(): Promise<OpenAnswers>; timeoutMs: number };

/** The answers port's definition: A1. */
export function answersContract(name: string, adapter: AnswersAdapter): void {
  const { timeoutMs } = adapter;
  const open = async (): Promise<OpenAnswers> => {
    const opened = await adapter.open();
    onTestFinished(() => opened.close());
    return opened;
  };
  const answer = (commandId: string): Answer => ({
    commandId,
    outcome: { kind: 'accepted', answer: { executionId: 'ünïcode', nested: [1, null] } },
    replayed: false,
  });
  const refusal = (commandId: string): Answer => ({
    commandId,
    outcome: { kind: 'refused', refusal: { code: 'task_not_found', detail: 'no such task' } },
    replayed: true,
  });

  describe(`${name} answers`, { timeout: timeoutMs * 4 }, () => {
    test('an answer that is given right after expect has returned is not missed (A1)', async () => {
      const { door, worker, waiting } = await open();
      const id = unique('command');
      const expected = door.expect(id, timeoutMs);
      await worker.give(door.address, [answer(id)]);
      expect(await expected).toEqual(answer(id));
      expect(waiting()).toBe(0);
    });

    test('many answers are given at once, each to its own', async () => {
      const { door, worker } = await open();
      const ids = Array.from({ length: 200 }, () => unique('command'));
      const expected = ids.map((id) => door.expect(id, timeoutMs));
      await worker.give(
        door.address,
        ids.map((id, i) => (i % 2 === 0 ? answer(id) : refusal(id))),
      );
      expect(await Promise.all(expected)).toEqual(ids.map((id, i) => (i % 2 === 0 ? answer(id) : refusal(id))));
    });

    test('everyone who expects the same answer gets it', async () => {
      const { door, worker, waiting } = await open();
      const id = unique('command');
      const expected = Array.from({ length: 5 }, () => door.expect(id, timeoutMs));
      await worker.give(door.address, [answer(id)]);
      expect(await Promise.all(expected)).toEqual(Array.from({ length: 5 }, () => answer(id)));
      expect(waiting()).toBe(0);
    });

    test('nobody answers: undefined when the time is over, and nothing is left behind', async () => {
      const { door, worker, waiting } = await open();
      const id = unique('command');
      const [short, long] = [door.expect(id, 20), door.expect(id, timeoutMs)];
      expect(await short).toBeUndefined();
      expect(waiting()).toBe(1);
      await worker.give(door.address, [answer(id)]);
      expect(await long).toEqual(answer(id));
      expect(waiting()).toBe(0);
    });

    test('an answer that nobody expects, or for another address, is no error and reaches nobody', async () => {
      const { door, worker } = await open();
      const [id, other] = [unique('command'), unique('command')];
      const expected = door.expect(id, timeoutMs);
      await worker.give(door.address, [answer(other)]);
      await worker.give(unique('nowhere'), [refusal(id)]);
      await worker.give(door.address, []);
      await worker.give(door.address, [answer(id)]);
      expect(await expected).toEqual(answer(id));
    });

    test('closing ends the waiting', async () => {
      const { door, waiting } = await open();
      const expected = door.expect(unique('command'), timeoutMs * 10);
      await door.close();
      expect(await expected).toBeUndefined();
      await eventually('nobody waits', timeoutMs, () => waiting() === 0);
    });
  });
}
