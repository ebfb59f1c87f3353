import { LiveEvents } from '@retrigger/gateway/live-events.ts';
import { LiveTail } from '@retrigger/gateway/live-tail.ts';
import { expect, test } from 'vitest';
import { startDoor } from './door.ts';
import { settled } from './fakes.ts';

test('a tenant with many streams leaves places to the next, and who goes gives theirs back (V3)', async () => {
  const live = new LiveEvents(startDoor().deps, 64);
  const open = async (tenantId: string) => {
    let opened = 0;
    for (; live.hasPlace(tenantId); opened++) await live.join(tenantId);
    return opened;
  };
  expect([await open('a'), await open('b'), await open('c')]).toEqual([48, 12, 3]);
  for (let i = 0; i < 48; i++) live.leave('a');
  expect(await open('d')).toBe(37);
  for (const [tenantId, clients] of [
    ['b', 12],
    ['c', 3],
    ['d', 37],
  ] as const)
    for (let i = 0; i < clients; i++) live.leave(tenantId);
  await settled();
  expect([live.followed, await open('a')]).toEqual([0, 48]);
  for (let i = 0; i < 48; i++) live.leave('a');
});

test('a tail holds no more than it is given room for, and says from where on (L2)', () => {
  const tail = new LiveTail(0);
  const events = Array.from({ length: 10 }, (_, i) => ({ place: `p${i}`, eventType: 'TaskCreated', taskId: 't', text: 'x'.repeat(100) }));
  tail.add(events, 'p9', 450);
  expect([tail.start, tail.after('').map(({ place }) => place)]).toEqual(['p5', ['p6', 'p7', 'p8', 'p9']]);
  tail.add([], 'q', 150);
  expect([tail.start, tail.end, tail.after('').map(({ place }) => place)]).toEqual(['p8', 'q', ['p9']]);
});
