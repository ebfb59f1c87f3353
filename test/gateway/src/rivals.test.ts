import { refused } from '@retrigger/domain/refusal.ts';
import { CommandAdmission } from '@retrigger/engine/admit-command.ts';
import { beforeEach, describe, expect, test } from 'vitest';
import { ACCEPTED, startAdmission, submission } from './admission-world.ts';
import { settled } from './fakes.ts';

const [ONE, TWO] = [{ body: { triggerReason: 'one' } }, { body: { triggerReason: 'two' } }];

describe('two doors, one id (G9)', () => {
  let world: ReturnType<typeof startAdmission>;
  let doors: [CommandAdmission, CommandAdmission];
  const door = () =>
    new CommandAdmission({ ...world.ports, leases: world.leases }, { limitsFor: () => world.limits, maxInFlight: 9, maxUndecided: 0 });
  beforeEach(() => {
    world = startAdmission();
    doors = [door(), door()];
    world.append = async () => {};
  });

  test('of two different requests at once one gets on; the other is told what differs, and costs nothing', async () => {
    const both = [doors[0].admit(submission('a', ONE)), doors[1].admit(submission('a', TWO))];
    await settled();
    expect([world.appended.length, world.userCharged()]).toEqual([1, 1]);
    if (world.appended[0] !== undefined) world.decide(world.appended[0]);
    const [first, second] = await Promise.all(both);
    expect(first).toEqual({ kind: 'decided', outcome: ACCEPTED, replayed: false });
    expect(second).toMatchObject({ outcome: { refusal: { code: 'idempotency_key_reused', more: { fields: ['triggerReason'] } } } });
  });

  test('twins at two doors both reach the log, where the worker sees that they are one', async () => {
    const both = doors.map((one) => one.admit(submission('a', ONE)));
    await settled();
    expect(world.appended).toHaveLength(2);
    for (const command of world.appended) world.decide(command);
    expect((await Promise.all(both)).map(({ kind }) => kind)).toEqual(['decided', 'decided']);
  });

  test('once it is decided the id is free of it: what is kept stands in its receipt, and of the rest nothing is', async () => {
    const first = doors[0].admit(submission('a', ONE));
    await settled();
    world.receipts.clear();
    if (world.appended[0] !== undefined) world.decide(world.appended[0], refused('forbidden', 'not yours'));
    await first;
    world.receipts.clear();
    world.append = async (command) => world.decide(command);
    expect(await doors[1].admit(submission('a', TWO))).toEqual({ kind: 'decided', outcome: ACCEPTED, replayed: false });
  });

  test('what was refused at one door holds up nobody at the other', async () => {
    world.limits.userPerHour = 0.5;
    expect(await doors[0].admit(submission('a', ONE))).toMatchObject({ kind: 'limited' });
    world.limits.userPerHour = 3;
    world.append = async (command) => world.decide(command);
    expect(await doors[1].admit(submission('a', TWO))).toMatchObject({ kind: 'decided', outcome: ACCEPTED });
  });

  test('while the leases can’t be asked everybody gets on', async () => {
    world.leases.take = () => Promise.reject(new Error('gone'));
    world.append = async (command) => world.decide(command);
    expect(await doors[0].admit(submission('a', ONE))).toMatchObject({ kind: 'decided', outcome: ACCEPTED });
  });
});
