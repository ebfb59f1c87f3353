import { share } from '@retrigger/kafka/sticky-assigner.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const range = (count: number) => Array.from({ length: count }, (_, n) => n);
const claims = fc.dictionary(fc.string({ minLength: 1, maxLength: 4 }), fc.uniqueArray(fc.nat(40)), { minKeys: 1, maxKeys: 9 });

test('every partition has one member, and no member has two more than another', () => {
  fc.assert(
    fc.property(fc.nat(40), claims, (count, claimed) => {
      const shares = share(range(count), new Map(Object.entries(claimed)));
      expect([...shares.values()].flat().sort((a, b) => a - b)).toEqual(range(count));
      const sizes = [...shares.values()].map(({ length }) => length);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    }),
  );
});

test('a member that leaves costs the others nothing, one that joins takes only its part', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 2, max: 8 }), (count, members) => {
      const before = share(range(count), new Map(range(members).map((n) => [`m${n}`, []])));
      const left = new Map([...before].slice(1));
      for (const [member, kept] of share(range(count), left)) expect(kept).toEqual(expect.arrayContaining(before.get(member) ?? []));
      const joined = share(range(count), new Map([...before, ['new', []]]));
      const moved = [...before].flatMap(([member, had]) => had.filter((partition) => !joined.get(member)?.includes(partition)));
      expect(moved.sort()).toEqual((joined.get('new') ?? []).sort());
    }),
  );
});
