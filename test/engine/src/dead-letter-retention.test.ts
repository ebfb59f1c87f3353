import { deadLettersIn } from '@retrigger/engine/dead-letter-store.ts';
import { deadLetter } from '@retrigger/engine/dead-letters.ts';
import { archiveDue, type Retention, TENANT_SETTINGS } from '@retrigger/engine/retention.ts';
import { TOPICS } from '@retrigger/ports/log.ts';
import { expect, test } from 'vitest';
import { ArchiveWorld, DAY_MS, START } from './archive-world.ts';

/** Ten dead letters of each, one a day; of the first half one is open and the next one closed. */
async function world(retention: Retention, tenantId = 'acme') {
  const { ports, documents } = new ArchiveWorld();
  const store = deadLettersIn(documents);
  for (const [key, topic] of [
    ['acme/t', TOPICS.work],
    ['other/t', TOPICS.work],
    ['acme/t', TOPICS.commands],
  ] as const)
    for (let day = 0; day < 10; day++) {
      const record = { topic, partition: 0, offset: day, at: START + day * DAY_MS, key, value: Buffer.from('x'), headers: {} };
      await store.collect({ ...deadLetter(record, 'why'), topic: TOPICS.deadLetters, partition: 0, offset: day, at: START + day * DAY_MS });
    }
  for (const [i, letter] of (await store.list('acme', 'open', null, 5)).entries())
    if (i % 2 === 1) await store.close(letter, { action: 'dropped', by: 'u', at: '', reason: 'x', commandId: 'c' }, async () => {});
  await documents.write({ kind: TENANT_SETTINGS, tenantId, id: 'settings', version: 1, body: { retention } });
  const clock = { now: () => START + 10 * DAY_MS, timer: () => () => {} };
  const days = async (tenant: string, state: 'open' | 'closed') =>
    (await store.list(tenant, state, null, 100)).map(({ at }) => (Date.parse(at) - START) / DAY_MS);
  return { days, documents, ports, turn: () => archiveDue({ ...ports, documents, clock }, []) };
}

test('dead letters that are older than their tenant keeps them go, open and closed ones; nobody else’s do', async () => {
  const { days, turn } = await world({ deadLetters: '7d' });
  await turn();
  expect([await days('acme', 'open'), await days('acme', 'closed')]).toEqual([[4, 5, 6, 7, 8, 9], [3]]);
  expect([(await days('other', 'open')).length, (await days('?', 'open')).length]).toEqual([10, 10]);
  await turn();
  expect((await days('acme', 'open')).length).toBe(6);
});

test('the keeper’s settings hold for those that prove no tenant', async () => {
  const { days, turn } = await world({ deadLetters: '3d' }, 'default');
  await turn();
  expect([(await days('acme', 'open')).length, await days('?', 'open')]).toEqual([8, [7, 8, 9]]);
});

test('without a word about them they stay', async () => {
  const { days, turn } = await world({ events: '1d' });
  await turn();
  expect([(await days('acme', 'open')).length, (await days('acme', 'closed')).length]).toEqual([8, 2]);
});

test('one tenant whose events can not be archived keeps nobody else’s retention from being done', async () => {
  const { days, turn, documents, ports } = await world({ events: '1d', deadLetters: '7d' });
  await documents.write({
    kind: TENANT_SETTINGS,
    tenantId: 'other',
    id: 'settings',
    version: 1,
    body: { retention: { deadLetters: '3d' } },
  });
  ports.snapshots.list = async (tenantId) => {
    if (tenantId === 'acme') throw new Error('a later version wrote this');
    return [];
  };
  await expect(turn()).rejects.toThrow('a later version');
  expect([(await days('acme', 'closed')).length, (await days('other', 'open')).length]).toEqual([1, 3]);
});
