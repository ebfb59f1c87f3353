import { foundInOneTurn, inOneTurn } from '@retrigger/mongo/in-one-turn.ts';
import { describe, expect, test } from 'vitest';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('asking in one turn', () => {
  test('what is asked in one turn of the event loop is carried out together, and what comes later is not', async () => {
    const carriedOut: number[][] = [];
    const ask = inOneTurn(async (asked: number[]) => {
      carriedOut.push(asked);
      return asked.length;
    });
    expect(await Promise.all([ask(1), Promise.resolve().then(() => ask(2))])).toEqual([2, 2]);
    expect(await ask(3)).toBe(1);
    expect(carriedOut).toEqual([[1, 2], [3]]);
  });

  test('a question that fails fails for those who asked it, and not for the next', async () => {
    let isAway = true;
    const ask = inOneTurn(async () => {
      if (isAway) throw new Error('away');
    });
    const failing = [ask(1), ask(2)];
    expect((await Promise.allSettled(failing)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    isAway = false;
    await ask(3);
  });

  test('one that takes long holds up none that comes later', async () => {
    const first = Promise.withResolvers<void>();
    const ask = inOneTurn((asked: string[]) => (asked[0] === 'slow' ? first.promise : Promise.resolve()));
    const slow = ask('slow');
    await turn();
    await ask('fast');
    first.resolve();
    await slow;
  });
});

describe('finding in one turn', () => {
  const finder = () => {
    const asked: string[][] = [];
    const find = foundInOneTurn(async (names) => {
      asked.push(names);
      return new Map(names.filter((name) => name !== 'missing').map((name) => [name, `value of ${name}`]));
    });
    return { asked, find };
  };

  test('each name is looked for once, and each caller gets those that it named', async () => {
    const { asked, find } = finder();
    const found = await Promise.all([find(['a', 'b']), find(['b', 'missing']), find([])]);
    expect(found.map((own) => [...own.keys()])).toEqual([['a', 'b'], ['b'], []]);
    expect(asked).toEqual([['a', 'b', 'missing']]);
  });

  test('many names are a question of their own', async () => {
    const { asked, find } = finder();
    const many = Array.from({ length: 200 }, (_, i) => `name-${i}`);
    const [all, one] = await Promise.all([find(many), find(['a'])]);
    expect([all.size, one.size]).toEqual([200, 1]);
    expect(asked.map(({ length }) => length).sort()).toEqual([1, 200]);
  });
});
