import type { KafkaLog } from '@retrigger/kafka/kafka-log.ts';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { eventually } from './eventually.ts';
import { startMember } from './member.ts';
import { logOptions, openLog, record, recorder, text } from './open-log.ts';

let logs: KafkaLog[];
let options: Awaited<ReturnType<typeof logOptions>>;

beforeEach(async () => {
  options = await logOptions({ work: 8 });
  logs = [await openLog(options), await openLog(options)];
});
afterEach(() => Promise.all(logs.map((log) => log.close())));

test('L4: two consumers of a group share the partitions, and neither is told again of what it keeps', async () => {
  const [one, two] = [recorder(), recorder()];
  await logs[0]?.consume('work', 'g', one);
  await eventually('the first has all', () => one.owned.size === 8);
  const second = await logs[1]?.consume('work', 'g', two);
  await eventually('each has half', () => one.owned.size === 4 && two.owned.size === 4);
  expect([...one.owned, ...two.owned].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(one.told).toEqual(['assigned 0,1,2,3,4,5,6,7', expect.stringMatching(/^revoked (\d,){3}\d$/)]);
  await second?.stop();
  await eventually('the first has all again', () => one.owned.size === 8);
  expect(one.told).toHaveLength(3);
  expect(two.owned.size).toBe(0);
});

test('L4: a member goes on being one, and hears of others, when its calendar is set back', async () => {
  const one = recorder();
  await logs[0]?.consume('work', 'g', one);
  await eventually('it has all', () => one.owned.size === 8);
  const now = Date.now.bind(Date);
  const calendar = vi.spyOn(Date, 'now').mockImplementation(() => now() - 300_000);
  const other = startMember(options);
  onTestFinished(() => {
    calendar.mockRestore();
    other.signal('SIGKILL');
  });
  await eventually('each has half', () => one.owned.size === 4 && other.owned() === 4);
});

test('nothing is lost or given twice while consumers come and go politely under load', async () => {
  const handlers = [recorder()];
  const consumers = [await logs[0]?.consume('work', 'g', handlers[0] ?? recorder())];
  let appended = 0;
  let appending = true;
  const load = (async () => {
    for (; appending; appended += 10)
      await logs[0]?.append(
        'work',
        Array.from({ length: 10 }, (_, n) => record(`a/${(appended + n) % 40}`, `${appended + n}`)),
      );
  })();
  for (let round = 0; round < 3; round++) {
    const handler = recorder();
    handlers.push(handler);
    const consumer = await logs[1]?.consume('work', 'g', handler);
    await eventually('the new one has work', () => handler.records.length > 50);
    const [oldest] = consumers.splice(0, 1);
    consumers.push(consumer);
    await oldest?.stop();
  }
  appending = false;
  await load;
  const total = () => handlers.flatMap(({ records }) => records);
  await eventually('all records', () => new Set(total().map(text)).size === appended);
  expect(total()).toHaveLength(appended);
});

test('a group that nobody serves keeps its records until somebody comes', async () => {
  await logs[0]?.append('work', [record('a/1', 'early')]);
  const handler = recorder();
  await logs[1]?.consume('work', 'g', handler);
  await eventually('the early record', () => handler.records.length === 1);
});
