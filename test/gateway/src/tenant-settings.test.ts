import { type LimitsOfTenants, limitsInForce, saveSettings, storedLimits } from '@retrigger/gateway/tenant-settings.ts';
import { MemoryDocumentStore } from '@retrigger/memory/memory-document-store.ts';
import { describe, expect, test } from 'vitest';
import { type Door, startDoor } from './door.ts';

const PATH = '/api/v1/tenant/settings';
const INSTALLATION = { userPerHour: 1_000, taskPerHour: 100, systemPerMinute: 10_000, tenantPerMinute: 0 };
const KNOWN_EVERYWHERE_MS = 5_000;

const start = (documents?: MemoryDocumentStore) =>
  startDoor({ config: { limits: INSTALLATION }, ...(documents === undefined ? {} : { deps: { documents } }) });
const put = (door: Door, body: object, headers: { [name: string]: string } = {}, as = 'admin') =>
  door.ask(PATH, { method: 'PUT', body, headers, as });
const trigger = async (door: Door, as = 'admin') => (await door.ask('/api/v1/tasks/t/trigger', { method: 'POST', as })).status;

describe('the settings of a tenant', () => {
  test('are empty at first, and the installation’s limits hold', async () => {
    expect((await start().ask(PATH)).json).toEqual({
      status: 200,
      data: { limits: {}, retention: {}, effectiveLimits: { userPerHour: 1_000, taskPerHour: 100, tenantPerMinute: 0 } },
    });
  });

  test('are read as they were set, and taken as a whole', async () => {
    const door = start();
    const set = { limits: { userPerHour: 7, tenantPerMinute: 3 }, retention: { events: '730d', deadLetters: '90d' } };
    const saved = await put(door, set);
    expect(saved.json.data).toEqual({ ...set, effectiveLimits: { userPerHour: 7, taskPerHour: 100, tenantPerMinute: 3 } });
    expect((await door.ask(PATH)).text).toBe(saved.text);
    await put(door, { retention: { events: 'P30D' } });
    expect((await door.ask(PATH)).json.data).toMatchObject({ limits: {}, retention: { events: 'P30D' } });
  });

  test('hold at once where they were set, and within 5 s elsewhere', async () => {
    const documents = new MemoryDocumentStore();
    const [here, there] = [start(documents), start(documents)];
    expect([await trigger(here), await trigger(there)]).toEqual([202, 202]);
    await put(here, { limits: { userPerHour: 1 } });
    expect(await trigger(here)).toBe(429);
    there.clock.advance(KNOWN_EVERYWHERE_MS);
    expect(await trigger(there)).toBe(429);
  });

  test('are the tenant’s own: no other is limited by them, and none sees them', async () => {
    const door = start();
    await put(door, { limits: { userPerHour: 1 } });
    await trigger(door);
    expect([await trigger(door), await trigger(door, 'stranger'), await trigger(door, 'stranger')]).toEqual([429, 202, 202]);
    expect((await door.ask(PATH, { as: 'stranger' })).json.data.limits).toEqual({});
  });

  test('are not taken back by an earlier call whose twin stood still meanwhile, or that is repeated after a crash (X2)', async () => {
    const door = start();
    const [stands, goesOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const { documents } = door;
    const read: MemoryDocumentStore['read'] = async (...name) => {
      const found = await documents.read(...name);
      stands.resolve();
      await goesOn.promise;
      return found;
    };
    const stalled = { read, write: documents.write.bind(documents) };
    const save = (userPerHour: number, commandId: string, at: Parameters<typeof saveSettings>[0] = documents) =>
      saveSettings(at, 'default', { limits: { userPerHour }, retention: {} }, commandId);
    const twin = save(1, 'first', stalled);
    await stands.promise;
    await save(1, 'first');
    await save(2, 'second');
    goesOn.resolve();
    await twin;
    await save(1, 'first');
    expect((await door.ask(PATH)).json.data.limits).toEqual({ userPerHour: 2 });
  });

  test('0 takes a limit off', async () => {
    const door = start();
    await put(door, { limits: { taskPerHour: 0, userPerHour: 0 } });
    for (let i = 0; i < 101; i++) expect(await trigger(door)).toBe(202);
  });

  test('a store that can’t say what holds lets nothing through', async () => {
    const documents = new MemoryDocumentStore();
    documents.read = async () => {
      throw new Error('the store is away');
    };
    const door = start(documents);
    expect([await trigger(door), door.commands.length]).toEqual([503, 0]);
  });

  test('are changed once under an idempotency key', async () => {
    const door = start();
    const headers = { 'idempotency-key': 'k' };
    const answers = await Promise.all([1, 2, 3].map(() => put(door, { limits: { userPerHour: 5 } }, headers)));
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect((await door.documents.read('tenant-settings', 'default', 'settings'))?.version).toBe(1);
    expect((await put(door, { limits: { userPerHour: 6 } }, headers)).json).toMatchObject({ status: 422, fields: ['limits'] });
  });

  test('two that are set at once follow one another: none is lost half', async () => {
    const documents = new MemoryDocumentStore();
    const all = Array.from({ length: 20 }, (_, i) => ({ limits: { userPerHour: i, taskPerHour: i }, retention: {} }));
    await Promise.all(all.map((settings, i) => saveSettings(documents, 'acme', settings, `c${i}`)));
    const { version, body } = (await documents.read('tenant-settings', 'acme', 'settings')) ?? {};
    expect([version, all]).toEqual([20, expect.arrayContaining([{ limits: body?.limits, retention: {} }])]);
  });

  test.each([
    [{ limits: { userPerHour: -1 } }, 'limits.userPerHour'],
    [{ limits: { taskPerHour: 1.5 } }, 'limits.taskPerHour'],
    [{ limits: { tenantPerMinute: '5' } }, 'limits.tenantPerMinute'],
    [{ limits: { systemPerMinute: 5 } }, 'limits.systemPerMinute'],
    [{ limits: [] }, 'limits'],
    [{ retention: { events: 'for ever' } }, 'retention.events'],
    [{ retention: { events: '1ms' } }, 'retention.events'],
    [{ retention: { deadLetters: '1ms' } }, 'retention.deadLetters'],
    [{ retentions: {} }, 'retentions'],
  ])('%o is refused, naming the field', async (body, path) => {
    const door = start();
    const { status, json } = await put(door, body);
    expect([status, json.errors[0].path]).toEqual([400, path]);
    expect(await door.documents.read('tenant-settings', 'default', 'settings')).toBeUndefined();
  });

  test('are an admin’s alone', async () => {
    const door = start();
    for (const as of ['viewer', 'operator', 'executor'])
      expect([(await door.ask(PATH, { as })).status, (await put(door, {}, {}, as)).status]).toEqual([403, 403]);
  });
});

describe('what holds', () => {
  test('a tenant can only make stricter what it takes of the whole, and not touch the system’s limit (X1)', () => {
    const tenant = (installation: number, own?: number) =>
      limitsInForce({ ...INSTALLATION, tenantPerMinute: installation }, own === undefined ? {} : { tenantPerMinute: own }).tenantPerMinute;
    expect([tenant(0), tenant(0, 5), tenant(10), tenant(10, 5), tenant(10, 50), tenant(10, 0)]).toEqual([0, 5, 10, 5, 10, 10]);
    expect(limitsInForce(INSTALLATION, { userPerHour: 5_000, taskPerHour: 0 })).toEqual({
      ...INSTALLATION,
      userPerHour: 5_000,
      taskPerHour: 0,
    });
  });

  test('is told for all tenants at a start', async () => {
    const documents = new MemoryDocumentStore();
    for (let i = 0; i < 1_001; i++) await saveSettings(documents, `t${i}`, { limits: { userPerHour: i }, retention: {} }, 'c');
    const limitsFor: LimitsOfTenants['of'] = await storedLimits(INSTALLATION, documents);
    expect([limitsFor('t0'), limitsFor('t1000'), limitsFor('nobody')]).toMatchObject([
      { userPerHour: 0 },
      { userPerHour: 1_000 },
      INSTALLATION,
    ]);
  });
});
