import type { StoredEvent } from '@retrigger/domain/event.ts';
import { writeTogether } from '@retrigger/engine/write-together.ts';
import type { Decided } from '@retrigger/ports/decision-store.ts';
import type { AppendOutcome } from '@retrigger/ports/event-store.ts';
import { silent } from '@retrigger/ports/observer.ts';
import type { Receipt } from '@retrigger/ports/receipt-store.ts';
import { describe, expect, test } from 'vitest';

/** What a batch decided about these keys, by the events of each. */
const decided = (events: { [key: string]: number }): Decided => ({
  events: Object.entries(events).flatMap(([key, count]) =>
    Array.from({ length: count }, (_, i) => ({ key, event: { sequence: i + 1 } }) as StoredEvent),
  ),
  receipts: Object.keys(events).map((key) => ({ commandId: `of ${key}` }) as Receipt),
  snapshots: [],
});

const namesOf = ({ events }: Decided) => events.map(({ key, event }) => `${key}#${event.sequence}`);

/** A store whose writes end when they are told to. */
function slowStore() {
  const writes: { decided: Decided; end: PromiseWithResolvers<AppendOutcome> }[] = [];
  const store = writeTogether(
    {
      write(decided) {
        const end = Promise.withResolvers<AppendOutcome>();
        writes.push({ decided, end });
        return end.promise;
      },
    },
    silent,
  );
  return { store, writes, end: (index: number, outcome: AppendOutcome = { kind: 'stored' }) => writes[index]?.end.resolve(outcome) };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('writing together', () => {
  test('what is decided in one turn is one write, and what is decided meanwhile is the next', async () => {
    const { store, writes, end } = slowStore();
    const [first, second] = [store.write(decided({ a: 2 })), store.write(decided({ b: 1 }))];
    await turn();
    const later = [store.write(decided({ c: 1 })), store.write(decided({ d: 2 }))];
    await turn();
    expect(writes.map(({ decided }) => namesOf(decided))).toEqual([['a#1', 'b#1', 'a#2']]);
    end(0);
    expect(await Promise.all([first, second])).toEqual([{ kind: 'stored' }, { kind: 'stored' }]);
    await turn();
    expect(writes.slice(1).map(({ decided }) => namesOf(decided))).toEqual([['c#1', 'd#1', 'd#2']]);
    expect(writes[1]?.decided.receipts.map(({ commandId }) => commandId)).toEqual(['of c', 'of d']);
    end(1);
    expect(await Promise.all(later)).toEqual([{ kind: 'stored' }, { kind: 'stored' }]);
  });

  test('J1: each is told of conflicts of its own keys', async () => {
    const { store, end } = slowStore();
    const all = [store.write(decided({ a: 1, b: 1 })), store.write(decided({ c: 1 })), store.write(decided({ d: 1 }))];
    await turn();
    end(0, { kind: 'conflict', keys: new Set(['b', 'd']) });
    expect(await Promise.all(all)).toEqual([
      { kind: 'conflict', keys: new Set(['b']) },
      { kind: 'stored' },
      { kind: 'conflict', keys: new Set(['d']) },
    ]);
  });

  test('J2: what can not be stored fails whoever decided it, and nobody else', async () => {
    const store = writeTogether(
      {
        write: async ({ events }) => {
          if (events.some(({ key }) => key === 'too large')) throw new Error('too large');
          return { kind: 'stored' };
        },
      },
      silent,
    );
    const all = [store.write(decided({ a: 1 })), store.write(decided({ 'too large': 1 })), store.write(decided({ b: 1 }))];
    expect((await Promise.allSettled(all)).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await store.write(decided({ c: 1 }))).toEqual({ kind: 'stored' });
  });

  test('a write that is large takes nobody in, and what comes behind it is stored all the same', async () => {
    const { store, writes, end } = slowStore();
    const all = [store.write(decided({ a: 400 })), store.write(decided({ b: 400 })), store.write(decided({ c: 1 }))];
    for (const count of [400, 401]) {
      await turn();
      expect(writes.at(-1)?.decided.events.length).toBe(count);
      end(writes.length - 1);
    }
    expect(await Promise.all(all)).toEqual([{ kind: 'stored' }, { kind: 'stored' }, { kind: 'stored' }]);
  });
});
