import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { News } from './outside.ts';
import { stillness, waitForAll } from './wait.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

/** Each look finds what is next here, and for ever what is last. */
const looks = (found: (string[] | Error)[]) => async () => {
  const next = found.length > 1 ? found.shift() : found[0];
  if (next instanceof Error) throw next;
  return next ?? [];
};

async function waited(left: () => Promise<string[]>, timesSlower = 1) {
  const waiting = waitForAll([{ what: 'it has come', left, withinMs: 5_000 }], performance.now(), async () => timesSlower);
  await vi.advanceTimersByTimeAsync(20_000);
  return waiting;
}

test('what comes in time is told with when; what does not is a violation', async () => {
  expect(await waited(looks([['a'], ['a'], []]))).toEqual({ wrong: [], took: ['it has come after 0.5 s'] });
  expect(await waited(looks([['a']]))).toEqual({ wrong: ['not so 5 s after the last fault: it has come: a'], took: [] });
});

test('on a machine that is twice as slow it has twice the time', async () => {
  expect((await waited(looks([['a']]), 2)).wrong).toEqual(['not so 10 s after the last fault: it has come: a']);
});

test('a look that fails is looked again; one that fails for ever is a violation', async () => {
  expect(await waited(looks([new Error('no leader yet'), []]))).toEqual({ wrong: [], took: ['it has come after 0.3 s'] });
  expect((await waited(looks([new Error('no leader')]))).wrong).toEqual([expect.stringContaining('no leader')]);
});

test('nothing is still while something is under way before or after the silence, or news come in it', async () => {
  const news = new Map<string, News[]>([['acme', []]]);
  const isStill = async (underWay: () => Promise<string[]>, meanwhile = () => {}) => {
    const looking = stillness(underWay, news)();
    await vi.advanceTimersByTimeAsync(1_000);
    meanwhile();
    await vi.advanceTimersByTimeAsync(1_000);
    return looking;
  };
  expect(await isStill(looks([[]]))).toEqual([]);
  expect(await isStill(looks([['1 behind'], []]))).toEqual(['1 behind']);
  expect(await isStill(looks([[], ['2 behind']]))).toEqual(['2 behind']);
  const hear = () => void news.get('acme')?.push({ tenantId: 'acme', taskId: 't', sequence: 1, eventId: 'e' });
  expect(await isStill(looks([[]]), hear)).toEqual(['1 more came']);
});
