import { type Candidate, ClaimDesk, type Seeker } from '@retrigger/gateway/claim-desk.ts';
import { silent } from '@retrigger/ports/observer.ts';
import { beforeEach, describe, expect, test } from 'vitest';
import { FakeClock, settled } from './fakes.ts';

describe('the claim desk', () => {
  let clock: FakeClock;
  let desk: ClaimDesk;
  let looks: string[];
  let there: Candidate[];
  let isBroken: boolean;
  beforeEach(() => {
    clock = new FakeClock();
    [looks, there, isBroken] = [[], [], false];
    const claimable = async (tenantId: string, type: string) => {
      looks.push(`${tenantId}/${type}`);
      if (isBroken) throw new Error('the store is away');
      return there.slice();
    };
    desk = new ClaimDesk({ snapshots: { claimable }, clock, observer: silent });
  });

  let named = 0;
  const seek = (more: Partial<Seeker> = {}) => {
    const name = `claim-${++named}`;
    const found: { candidates?: Candidate[]; error?: unknown } = {};
    const seeker = {
      tenantId: 'acme',
      types: ['job'],
      name,
      most: 1,
      until: clock.now() + 30_000,
      signal: new AbortController().signal,
      ...more,
    };
    void desk.seek(seeker).then(
      (candidates) => Object.assign(found, { candidates }),
      (error) => Object.assign(found, { error }),
    );
    return found;
  };
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left -= 5) {
      clock.advance(5);
      await settled();
    }
  };
  const candidate = (n: number): Candidate => ({ taskId: `t${n}`, since: n });

  test('one look serves all who wait for a type, a few times a second', async () => {
    for (let i = 0; i < 500; i++) seek();
    await pass(1_000);
    expect(looks.length).toBeGreaterThan(3);
    expect(looks.length).toBeLessThan(9);
  });

  test('hands a candidate to one at a time, to whoever waits longest first (D1, D2)', async () => {
    const [first, second, third] = [seek(), seek(), seek()];
    there = [candidate(1), candidate(2)];
    await pass(300);
    expect([first, second].flatMap(({ candidates = [] }) => candidates).toSorted((a, b) => a.since - b.since)).toEqual(there);
    expect(third.candidates).toBeUndefined();
    await pass(900);
    expect(third.candidates).toBeUndefined();
    there = [candidate(3)];
    await pass(300);
    expect(third.candidates).toEqual([candidate(3)]);
  });

  test('gives as many as are wanted', async () => {
    there = Array.from({ length: 7 }, (_, n) => candidate(n));
    const [some, rest] = [seek({ most: 5 }), seek({ most: 5 })];
    await pass(20);
    expect([some.candidates?.length, rest.candidates?.length]).toEqual([5, 2]);
  });

  test('what was tried comes again only when a look that began after the try still shows it', async () => {
    there = [candidate(1)];
    seek();
    await pass(10);
    desk.settled('acme', candidate(1));
    const next = seek();
    await pass(500);
    expect(next.candidates).toBeUndefined();
    await pass(1_000);
    expect(next.candidates).toEqual([candidate(1)]);
  });

  test.each(['while they wait', 'before a hint', 'before others come'])(
    'a clock that is set back %s keeps nobody waiting (D7)',
    async (when) => {
      const patient = seek({ until: clock.now() + 60_000 });
      await pass(1_000);
      clock.set(clock.now() - 300_000);
      if (when === 'before a hint') desk.hint('acme');
      const other = when === 'before others come' ? seek({ most: 2 }) : undefined;
      there = [candidate(1), candidate(2)];
      await pass(500);
      expect([patient.candidates?.length, other?.candidates?.length ?? 1]).toEqual([1, 1]);
    },
  );

  test('what was tried by a clock that was ahead comes again all the same (D7)', async () => {
    there = [candidate(1)];
    seek();
    await pass(10);
    clock.set(clock.now() - 300_000);
    desk.settled('acme', candidate(1));
    clock.set(clock.now() - 300_000);
    const next = seek();
    await pass(1_500);
    expect(next.candidates).toEqual([candidate(1)]);
  });

  test('two desks let claims draw differently, and twins alike (D3)', async () => {
    there = Array.from({ length: 100 }, (_, n) => candidate(n));
    const other = new ClaimDesk({ snapshots: { claimable: async () => there.slice() }, clock, observer: silent });
    const drawn = (name: string, at: ClaimDesk) =>
      at.seek({ tenantId: 'acme', types: ['job'], name, most: 1, until: clock.now() + 10, signal: new AbortController().signal });
    const all = Promise.all([
      drawn('twin', desk),
      drawn('twin', other),
      ...Array.from({ length: 20 }, (_, n) => drawn(`of-other-${n}`, other)),
    ]);
    await pass(20);
    const [one, twin, ...others] = await all;
    expect(one).toEqual(twin);
    expect(new Set(others.map(([found]) => found?.taskId)).size).toBe(20);
  });

  test('a claim that does not wait has one look, and a late one is told that there is nothing (D4)', async () => {
    const at = clock.now();
    const hasty = seek({ until: at });
    const patient = seek({ until: at + 400 });
    await pass(15);
    expect(hasty.candidates).toEqual([]);
    expect(patient.candidates).toBeUndefined();
    await pass(400);
    expect(patient.candidates).toEqual([]);
  });

  test('a hint makes it look at once, at the lines of that tenant', async () => {
    const waiting = seek();
    seek({ tenantId: 'other' });
    await pass(100);
    looks.length = 0;
    there = [candidate(1)];
    desk.hint('acme');
    await pass(5);
    expect([waiting.candidates, looks]).toEqual([[candidate(1)], ['acme/job']]);
  });

  test('who waits for several types is served by the first of them, and waits nowhere any more', async () => {
    const [either] = [seek({ types: ['job', 'build'] })];
    there = [candidate(1)];
    await pass(10);
    expect(either.candidates).toEqual([candidate(1)]);
    await pass(500);
    looks.length = 0;
    await pass(1_000);
    expect([looks, clock.armed]).toEqual([[], 0]);
  });

  test('whoever gives up is forgotten, and without anybody there is neither look nor timer (D5)', async () => {
    const leaving = new AbortController();
    const gone = seek({ signal: leaving.signal });
    await pass(20);
    leaving.abort();
    await pass(500);
    looks.length = 0;
    await pass(1_000);
    expect([gone.candidates, looks, clock.armed]).toEqual([[], [], 0]);
  });

  test('a tenant that waits for thousands of types keeps nobody else waiting, and is looked at in turn (D6)', async () => {
    const all = Array.from({ length: 3_000 }, (_, n) => `type-${n}`);
    for (let from = 0; from < all.length; from += 100) seek({ types: all.slice(from, from + 100) });
    await pass(500);
    looks.length = 0;
    const other = seek({ tenantId: 'other' });
    await pass(10);
    expect(looks).toContain('other/job');
    await pass(1_000);
    expect(looks.filter((look) => look === 'other/job').length).toBeGreaterThan(3);
    there = [candidate(1)];
    await pass(300);
    expect(other.candidates).toEqual([candidate(1)]);
    there = [];
    const before = looks.length;
    await pass(1_000);
    expect(looks.length - before).toBeLessThan(600);
    looks.length = 0;
    await pass(6_000);
    expect(new Set(looks).size).toBeGreaterThan(2_800);
  });

  test('a store that is away costs a hasty claim an error, and a patient one some time', async () => {
    isBroken = true;
    const [hasty, patient] = [seek({ until: clock.now() }), seek()];
    await pass(15);
    expect(String(hasty.error)).toContain('away');
    isBroken = false;
    there = [candidate(1)];
    await pass(400);
    expect(patient.candidates).toEqual([candidate(1)]);
  });
});
