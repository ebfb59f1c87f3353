import { afterEach, describe, expect, test } from 'vitest';
import { type Sent, signed } from './signed-record.ts';
import { OFF, until, World } from './world.ts';

const trigger = (commandId: string, taskId: string): Sent => ({ commandId, type: 'TriggerTask', taskId, body: {} });
const create = (taskId: string): Sent => ({ commandId: `create-${taskId}`, type: 'CreateTask', taskId, body: { type: 'job' } });

let world: World;
afterEach(() => world.end());

async function started(limits = OFF): Promise<World> {
  world = new World(limits);
  await world.startWorker();
  await world.openDoor();
  return world;
}

describe('over a limit', () => {
  test('that lasts, a command is refused; its outcome says so, it cost nothing, and it may be sent again (K3)', async () => {
    await started({ ...OFF, userPerHour: 2 });
    await world.publish(...['a', 'b', 'c'].map((id) => signed(create(id))));
    await world.decided();
    await world.publish(signed(trigger('1', 'a')), signed(trigger('2', 'b')));
    await world.decided();
    await world.publish(signed(trigger('3', 'c')), signed({ ...trigger('4', 'c'), type: 'CancelTask' }));
    await world.decided();
    expect(await world.command('3')).toMatchObject({
      state: 'refused',
      outcome: { status: 429, body: { code: 'rate_limited', title: 'Too many requests' } },
    });
    expect(await world.types('acme/c')).toEqual(['TaskCreated', 'TaskCancelled']);
    expect(world.counted).toContain('requests_refused_total rate_limited');
    expect(world.reasons()).toEqual([]);
  });

  test('that lets go within seconds, a command waits for it', async () => {
    await started({ ...OFF, userPerHour: 1 });
    world.limitWindowMs = 1_000;
    await world.publish(...['a', 'b', 'c'].map((id) => signed(create(id))));
    await world.decided();
    await world.publish(...['a', 'b', 'c'].map((id) => signed(trigger(id, id))));
    await world.decided();
    for (const id of ['a', 'b', 'c']) expect(await world.types(`acme/${id}`)).toEqual(['TaskCreated', 'TaskTriggered']);
    expect(world.counted.filter((each) => each.endsWith('TriggerTask limited')).length).toBeGreaterThanOrEqual(2);
  });

  test('a repeat of what was taken costs nothing', async () => {
    await started({ ...OFF, userPerHour: 1 });
    await world.publish(signed(create('a')));
    await world.decided();
    for (let n = 0; n < 3; n++) {
      await world.publish(signed(trigger('1', 'a')));
      await world.decided();
    }
    expect(await world.command('1')).toMatchObject({ state: 'accepted' });
  });

  test('what roles or a record’s key do not permit is free of charge', async () => {
    await started({ ...OFF, tenantPerMinute: 1 });
    await world.publish(signed(create('a')));
    await world.publish(signed(trigger('1', 'a'), { as: 'vera' }), signed(trigger('2', 'a'), { key: 'other/a' }));
    await world.decided();
    await world.publish(signed(trigger('3', 'a')));
    await world.decided();
    expect(await world.command('3')).toMatchObject({ state: 'accepted' });
  });
});

describe('what is not possible now', () => {
  test('waits in Kafka: without a worker no more is handed in than half of what may be in flight, and nothing is lost', async () => {
    world = new World();
    await world.openDoor();
    const ids = Array.from({ length: 60 }, (_, n) => `task-${n}`);
    await world.publish(...ids.map((id) => signed(create(id))));
    await until('the door has stopped taking', () => world.work().length >= 5);
    expect(world.work().length).toBeLessThan(60);
    const { status } = await world.http('POST', '/api/v1/tasks/nothing/cancel?dryRun=true', {});
    expect(status, 'callers are still served').toBe(200);
    await world.startWorker();
    await world.decided();
    for (const id of ids) expect(await world.types(`acme/${id}`)).toEqual(['TaskCreated']);
  });

  test('waits for a tenant’s own share of what is undecided, and is never refused for it', async () => {
    world = new World();
    world.maxUndecided = 1;
    await world.startWorker();
    await world.openDoor();
    const ids = Array.from({ length: 8 }, (_, n) => `task-${n}`);
    await world.publish(...ids.map((id) => signed(create(id))));
    await world.decided();
    for (const id of ids) expect(await world.types(`acme/${id}`)).toEqual(['TaskCreated']);
    expect(world.counted).toContain('commands_total CreateTask limited');
  });

  test('waits while the work log takes nothing, or the schema registry does not answer', async () => {
    await started();
    let failures = 0;
    world.log.appendFault = (topic) => (topic === 'retrigger.work' && failures++ < 2 ? 'rejected-and-lost' : undefined);
    await world.publish(signed(create('a')));
    await world.decided();
    expect(await world.types('acme/a')).toEqual(['TaskCreated']);
    const find = world.findSchema;
    let asked = 0;
    world.findSchema = async (id) => {
      if (asked++ < 2) throw new Error('ECONNREFUSED');
      return find(id);
    };
    await world.publish(signed(trigger('t', 'a'), { avro: true }));
    await world.decided();
    expect(await world.types('acme/a')).toEqual(['TaskCreated', 'TaskTriggered']);
    expect(world.reasons()).toEqual([]);
  });

  test('what may or may not be in the log after a failed append is there once in the end', async () => {
    await started();
    let failures = 0;
    world.log.appendFault = (topic) => (topic === 'retrigger.work' && failures++ < 1 ? 'rejected-and-kept' : undefined);
    await world.publish(signed(create('a')), signed(trigger('t', 'a')));
    await world.decided();
    expect(await world.types('acme/a')).toEqual(['TaskCreated', 'TaskTriggered']);
  });

  test('a dead letter that can’t be written is written later', async () => {
    await started();
    let failures = 0;
    world.log.appendFault = (topic) => (topic === 'retrigger.dead-letters' && failures++ < 2 ? 'rejected-and-lost' : undefined);
    await world.publish(signed(Buffer.from('hello')));
    await world.taken();
    expect(world.reasons()).toHaveLength(1);
  });

  test('ends with the door: it closes at once, and what was not handed in comes again', async () => {
    world = new World();
    const door = await world.openDoor();
    await world.publish(...Array.from({ length: 30 }, (_, n) => signed(create(`task-${n}`))));
    await until('the door has stopped taking', () => world.work().length >= 5);
    await door.stop();
    await world.openDoor();
    await world.startWorker();
    await world.decided();
    for (let n = 0; n < 30; n++) expect(await world.types(`acme/task-${n}`)).toEqual(['TaskCreated']);
  });
});
