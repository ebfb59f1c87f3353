import { LiveEvents } from '@retrigger/gateway/live-events.ts';
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
