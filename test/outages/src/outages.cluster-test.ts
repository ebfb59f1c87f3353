import { cluster } from '@retrigger/test-cluster/servers.ts';
import { eventually } from '@retrigger/test-gateway/eventually.ts';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { Round } from './round.ts';
import { SERVERS, type Server, takeAway, type Way } from './servers.ts';
import { BACK_WITHIN_MS, type Part } from './stated.ts';
import { type Behind, World } from './world.ts';

/** The same processes live through all of it. */
let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') process.stdout.write(world.installation.said());
  for (const server of Object.values(SERVERS)) await cluster('start', server);
});
afterAll(() => world.end());

const SERVER_OUTAGES = (Object.keys(SERVERS) as Server[]).flatMap((server) =>
  (['killed', 'frozen'] as const).map((way): [Server, Way] => [server, way]),
);

test.each(SERVER_OUTAGES)(
  '%s %s: every call answers as the table says, readiness names it, and all works again when it is back',
  async (server, way) => {
    const round = await Round.begin(world, server, way);
    const giveBack = await takeAway(server, way);
    try {
      await Promise.all([round.callAll(), round.isNamed()]);
      if (server === 'kafka' && way === 'frozen') await round.isRefusedAtOnce();
    } finally {
      await giveBack();
    }
    await round.isOver();
    expect(round.wrong).toEqual([]);
  },
);

test.each<[Part, Behind, string | null]>([
  ['workers', 'worker', null],
  ['dispatcher', 'dispatcher', 'trigger'],
  ['notifier', 'notifier', 'tested'],
])('%s killed: every call answers as the table says, and all that waited is done when there is one again', async (part, service, told) => {
  const round = await Round.begin(world, part, 'killed');
  await world.kill(service);
  try {
    await round.callAll();
    if (part === 'workers') await round.isShed();
    if (told !== null) expect(round.heard(told)).toBe(0);
  } finally {
    await world.startAgain(service);
  }
  await round.isOver();
  expect(round.wrong).toEqual([]);
  if (told !== null) await eventually('what waited is told', async () => round.heard(told) > 0, BACK_WITHIN_MS);
});
