import { sealedUnder } from '@retrigger/domain/privacy/sealed-value.ts';
import { beforeEach, describe, expect, test } from 'vitest';
import { asked, privacyWorld } from './privacy-world.ts';

const CANARY = 'canary';

describe('sealing at the door', () => {
  let world: ReturnType<typeof privacyWorld>;
  beforeEach(() => {
    world = privacyWorld();
    world.task('plain', false);
    world.task('sensitive', true);
  });
  const seal = (...parts: Parameters<typeof asked>) => world.process().sealing.seal(asked(...parts));

  test.each<[Parameters<typeof asked>[1], object]>([
    ['ChangeTask', { context: { a: CANARY }, critical: true }],
    ['TriggerTask', { context: { a: CANARY }, triggerReason: CANARY }],
    ['RescheduleTask', { schedule: { strategy: 'immediate' }, context: { a: CANARY }, reason: CANARY }],
    ['CancelTask', { reason: CANARY }],
    ['CompleteExecution', { executionId: 'e', result: CANARY }],
    ['FailExecution', { executionId: 'e', error: { code: 'execution_failed', message: CANARY } }],
  ])('%s about a sensitive task holds nothing open, and its repeats are still told apart', async (type, body) => {
    const roles = type.endsWith('Execution') ? (['executor'] as const) : (['operator'] as const);
    const [plain, sealed] = [asked('sensitive', type, body as never, [...roles]), await seal('sensitive', type, body as never, [...roles])];
    expect(JSON.stringify(sealed)).not.toContain(CANARY);
    expect(Object.keys(sealed.body).toSorted()).toEqual(Object.keys(plain.body).toSorted());
    expect(Object.keys(sealed.fingerprint)).toEqual(Object.keys(plain.fingerprint));
    for (const field of Object.keys(plain.fingerprint)) expect(sealed.fingerprint[field]).not.toBe(plain.fingerprint[field]); // P3
    expect(await seal('sensitive', type, body as never, [...roles])).toEqual(sealed);
    expect(await seal('plain', type, body as never, [...roles])).toEqual(asked('plain', type, body as never, [...roles]));
  });

  test('a task is created with its key; what is said about it before it is decided is sealed too (P2)', async () => {
    const created = await seal('new', 'CreateTask', { type: 'job', sensitive: true, context: { a: CANARY } });
    const triggered = await seal('new', 'TriggerTask', { context: { a: CANARY } });
    expect(sealedUnder(created.body.context)).toBe(sealedUnder(triggered.body.context));
    expect(sealedUnder(created.body.context)).toBeDefined();
    expect((await seal('other', 'CreateTask', { type: 'job', context: { a: CANARY } })).body.context).toEqual({ a: CANARY });
  });

  test('of a command that its sender may not send nothing personal gets any further, and no key is made for it (P1)', async () => {
    const created = await seal('new', 'CreateTask', { type: 'job', sensitive: true, context: { a: CANARY } }, ['viewer']);
    expect(created.body).toEqual({ type: 'job', sensitive: true });
    expect(await world.process().ring.findKey('acme', 'new')).toBeUndefined();
    const failed = await seal('plain', 'FailExecution', { executionId: 'e', error: { code: 'c', message: CANARY } }, ['viewer']);
    expect(failed.body).toEqual({ executionId: 'e', error: { code: 'c', message: '' } });
  });

  test('what is sealed already stays, and what only looks like it does not', async () => {
    const { sealing } = world.process();
    const once = await sealing.seal(asked('sensitive', 'TriggerTask', { context: { a: 1 } }));
    expect((await sealing.seal(once)).body).toEqual(once.body);
    const forged = { $sealed: `v1.${sealedUnder(once.body.context)}.${'y'.repeat(60)}.${'z'.repeat(43)}` };
    const sealed = await sealing.seal(asked('sensitive', 'TriggerTask', { context: forged }));
    expect(sealed.body.context).not.toEqual(forged);
  });

  test('whether a task is sensitive is looked up once, and not at all for commands that hold nothing personal', async () => {
    const { sealing } = world.process();
    await sealing.seal(asked('plain', 'TriggerTask', {}));
    expect(world.snapshotReads()).toBe(0);
    for (let i = 0; i < 5; i++) await sealing.seal(asked('plain', 'TriggerTask', { triggerReason: 'x' }));
    expect(world.snapshotReads()).toBe(1);
  });

  test('it is not looked up of a task whose creation was accepted here, unless that was sensitive (P5)', async () => {
    const { sealing } = world.process();
    sealing.accepted(asked('created', 'CreateTask', { type: 'job' }));
    sealing.accepted(asked('sensitive', 'CreateTask', { type: 'job', sensitive: true }));
    sealing.accepted(asked('plain', 'ChangeTask', { critical: true }));
    const about = async (taskId: string) =>
      (await sealing.seal(asked(taskId, 'TriggerTask', { triggerReason: CANARY }))).body.triggerReason;
    expect(await about('created')).toBe(CANARY);
    expect(world.snapshotReads()).toBe(0);
    expect(sealedUnder(await about('sensitive'))).toBeDefined();
    expect(await about('plain')).toBe(CANARY);
    expect(world.snapshotReads()).toBe(2);
  });
});
