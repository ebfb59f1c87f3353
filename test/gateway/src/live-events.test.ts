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

test('a look that is under way when its last client leaves shows the next one nothing twice (V4)', async () => {
  const door = startDoor();
  const held: (() => void)[] = [];
  let isHeld = false;
  const marks = async () => {
    if (isHeld) await new Promise<void>((resolve) => held.push(resolve));
    return new Map([[0, door.mark]]);
  };
  const { events, snapshots } = door.deps;
  const pageOfTenant: typeof events.pageOfTenant = async (...asked) => {
    const page = await events.pageOfTenant(...asked);
    await settled();
    return page;
  };
  const live = new LiveEvents({ ...door.deps, events: { ...events, pageOfTenant }, snapshots: { ...snapshots, marks } });
  await live.join('default');
  await settled();
  isHeld = true;
  door.clock.advance(200); // it begins to look
  await settled();
  live.leave('default');
  isHeld = false;
  const tail = await live.join('default');
  await settled();
  door.seed('default', 'a', ['TaskCreated', 'TaskTriggered'], door.mark.at);
  door.mark = { at: door.mark.at + 3_600_000, newest: 0 };
  for (const goOn of held) goOn();
  door.clock.advance(200);
  await settled(20);
  expect(tail.after('').map(({ taskId, eventType }) => `${taskId} ${eventType}`)).toEqual(['a TaskCreated', 'a TaskTriggered']);
  live.leave('default');
});

test('a tail holds no more than it is given room for, and says from where on (L2)', () => {
  const tail = new LiveTail(0);
  const events = Array.from({ length: 10 }, (_, i) => ({ place: `p${i}`, eventType: 'TaskCreated', taskId: 't', text: 'x'.repeat(100) }));
  tail.add(events, 'p9', 450);
  expect([tail.start, tail.after('').map(({ place }) => place)]).toEqual(['p5', ['p6', 'p7', 'p8', 'p9']]);
  tail.add([], 'q', 150);
  expect([tail.start, tail.end, tail.after('').map(({ place }) => place)]).toEqual(['p8', 'q', ['p9']]);
});
