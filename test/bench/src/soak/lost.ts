import { type Event, NO_HASH } from '@retrigger/domain/event.ts';
import { firstBreak } from '@retrigger/domain/event-hash.ts';
import type { Called } from './load.ts';

/** What the history (JSON Lines) says of what was acknowledged: everything that is lost, doubled or broken, in words. `failed`: executions whose target was not reached, by why. */
export async function lostOf(
  called: Called,
  chunks: AsyncIterable<Uint8Array>,
): Promise<{ events: number; wrong: string[]; failed: Map<string, number> }> {
  const wrong: string[] = [];
  const ends = new Map<string, { sequence: number; hash: string }>();
  const [triggered, ended] = [new Map<string, number>(), new Map<string, number>()];
  const failed = new Map<string, number>();
  let events = 0;
  for await (const event of eventsOf(chunks)) {
    events++;
    const { sequence, hash } = ends.get(event.taskId) ?? { sequence: 0, hash: NO_HASH };
    const broken = firstBreak([event], sequence + 1, hash);
    if (broken !== undefined) wrong.push(`${event.taskId}: ${broken.reason} at ${broken.sequence}`);
    ends.set(event.taskId, event);
    const counted = { TaskTriggered: triggered, TaskCompleted: ended, TaskFailed: ended }[event.eventType as string];
    const execution = String(event.metadata.executionId);
    if (event.eventType === 'TaskFailed') {
      const { code, message } = event.metadata.error as { code: string; message: string };
      failed.set(`${code}: ${message}`, 1 + (failed.get(`${code}: ${message}`) ?? 0));
    }
    counted?.set(execution, (counted.get(execution) ?? 0) + 1);
  }
  for (const execution of called.executions) if (!triggered.has(execution)) wrong.push(`${execution} was acknowledged, and is not there`);
  for (const [execution, times] of triggered) {
    if (times !== 1 || ended.get(execution) !== 1)
      wrong.push(`${execution} was triggered ${times} times and ended ${ended.get(execution) ?? 0} times`);
  }
  const expected = called.executions.length + called.timers;
  if (triggered.size !== expected) wrong.push(`${expected} executions were acknowledged or due, ${triggered.size} are there`);
  return { events, wrong, failed };
}

async function* eventsOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Event, void> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') yield JSON.parse(line);
  }
  if (rest !== '') yield JSON.parse(rest);
}
