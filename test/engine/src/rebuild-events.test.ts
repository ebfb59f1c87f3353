import { domainDecider } from '@retrigger/domain/domain-decider.ts';
import type { Event } from '@retrigger/domain/event.ts';
import type { AnyDecider } from '@retrigger/engine/aggregate.ts';
import { type Kept, type RebuildPorts, rebuildEvents, recordName } from '@retrigger/engine/rebuild-events.ts';
import type { LogRecord } from '@retrigger/ports/log.ts';
import { expect, test } from 'vitest';
import { FakeStores, fakeEvents, fakeReceipts, fakeSnapshots } from './fake-stores.ts';
import { command, inLog, Owner } from './owner.ts';

const KEY = 'acme/t';
const DECIDED = [
  command('create', 't', { type: 'CreateTask', body: { type: 'job' } }),
  command('trigger', 't', { type: 'TriggerTask', body: {} }),
  command('again', 't', { type: 'TriggerTask', body: {} }),
];

const portsOf = (stores: FakeStores): RebuildPorts => {
  const at = () => Promise.resolve();
  return {
    ...{ events: fakeEvents(stores, at), receipts: fakeReceipts(stores, at), snapshots: fakeSnapshots(stores, at) },
    decider: domainDecider as AnyDecider,
  };
};

/** What the topics keep of these records and of what their owner's store holds. */
function keptOf(records: LogRecord[], events: Event[]): Kept {
  const kept: Kept = { events: new Map([[KEY, events]]), records: new Map() };
  for (const { key, value, partition, offset, at } of records) {
    const sent = JSON.parse(Buffer.from(value).toString());
    kept.records.set(recordName(key, sent.commandId), [{ command: sent, key, position: { partition, offset, at } }]);
  }
  return kept;
}

/** A store that was used, and the records that were decided. */
async function used(): Promise<{ stores: FakeStores; records: LogRecord[]; events: Event[]; answers: unknown[] }> {
  const stores = new FakeStores();
  const owner = new Owner(stores);
  const records = inLog(DECIDED);
  await owner.take(records);
  return { stores, records, events: stores.stream(KEY).map(({ event }) => event), answers: owner.answers };
}

test('a store that holds nothing has every event again, byte for byte, and redelivery makes receipts and snapshots of them', async () => {
  const { stores, records, events, answers } = await used();
  const empty = new FakeStores();
  const back = [...events, events[0] as Event]; // the topic may step back
  expect(await rebuildEvents(portsOf(empty), keptOf(records, back))).toEqual({ restored: 3, present: 0, wrong: [] });
  expect(empty.stream(KEY)).toEqual(stores.stream(KEY));
  expect(empty.snapshots.get(KEY)?.head.sequence, 'bulks find the task, and nothing that has no receipt is passed (Z3)').toBe(1);
  expect([...empty.receipts.keys()]).toEqual(['create']);

  const owner = new Owner(empty);
  await owner.take(records);
  expect(empty.stream(KEY)).toEqual(stores.stream(KEY));
  expect(empty.receipts).toEqual(stores.receipts);
  expect(empty.snapshots).toEqual(stores.snapshots);
  expect(owner.answers.map((answer) => ({ ...answer, replayed: false }))).toEqual(answers);
});

test('done twice it changes nothing; what the dump has stays', async () => {
  const { stores, records, events } = await used();
  expect(await rebuildEvents(portsOf(stores), keptOf(records, events))).toEqual({ restored: 0, present: 3, wrong: [] });
  const half = new FakeStores();
  await new Owner(half).take(records.slice(0, 2));
  expect(await rebuildEvents(portsOf(half), keptOf(records, events.slice(1)))).toEqual({ restored: 1, present: 1, wrong: [] });
  expect(half.stream(KEY)).toEqual(stores.stream(KEY));
});

test('nothing goes back that its hash, the chain or the work log does not bear out (Z1, Z2)', async () => {
  const { records, events } = await used();
  const [first, second, third] = events as [Event, Event, Event];
  const stored = await used();
  const wrongOf = async (shown: Event[], log = records, stores = new FakeStores()) =>
    (await rebuildEvents(portsOf(stores), keptOf(log, shown))).wrong;
  expect(await wrongOf([{ ...first, correlationId: 'another' }, second])).toEqual([
    `${KEY}: event 1 has a hash that its content does not make`,
  ]);
  expect(await wrongOf([first, third])).toEqual([`${KEY}: event 3 does not follow what is stored`]);
  expect(await wrongOf([first, second], records.slice(0, 1))).toEqual([`${KEY}: event 2 has no record of its command in the work log`]);
  expect(await wrongOf([{ ...first, hash: third.hash }], records, stored.stores)).toEqual([
    `${KEY}: the store has another event 1 than the topic`,
  ]);
});

test('of a command that came twice the record is found whose log time the event has (Z2)', async () => {
  const { stores, records, events } = await used();
  const kept = keptOf(records, events);
  const name = recordName(KEY, 'trigger');
  const [record] = kept.records.get(name) ?? [];
  if (record === undefined) throw new Error('it was sent');
  const later = { ...record, position: { ...record.position, offset: 9, at: record.position.at + 9 } };
  const empty = new FakeStores();
  await rebuildEvents(portsOf(empty), { ...kept, records: new Map([...kept.records, [name, [record, later]]]) });
  expect(empty.stream(KEY).map(({ position }) => position)).toEqual(stores.stream(KEY).map(({ position }) => position));
});
