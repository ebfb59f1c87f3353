import { kafkaClient, SHORT_RETRIES } from '@retrigger/kafka/kafka-client.ts';
import type { KafkaLog } from '@retrigger/kafka/kafka-log.ts';
import { systemClock } from '@retrigger/lifecycle/system-clock.ts';
import { silent } from '@retrigger/ports/observer.ts';
import kafkajs from 'kafkajs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventually } from './eventually.ts';
import { disordered, load, lost } from './load.ts';
import { type Member, startMember } from './member.ts';
import { logOptions, openLog, recorder, text } from './open-log.ts';
import { cluster } from './servers.ts';

const { ConfigResourceTypes } = kafkajs;

let options: Awaited<ReturnType<typeof logOptions>>;
let log: KafkaLog;
let members: Member[];

beforeEach(async () => {
  options = await logOptions({ work: 8 });
  log = await openLog(options);
  members = [];
});
afterEach(async () => {
  for (const member of members) member.signal('SIGKILL');
  await cluster('start', 'kafka');
  await log.close();
});

async function twoMembers(): Promise<[Member, Member]> {
  const [one, two] = [startMember(options), startMember(options)] as [Member, Member];
  members.push(one, two);
  await eventually('each has half', () => one.owned() === 4 && two.owned() === 4);
  return [one, two];
}

const given = () => members.flatMap(({ lines }) => lines.flatMap(({ batch }) => batch ?? []));

test('a killed consumer’s partitions are another’s within 15 s, and nothing is lost', async () => {
  const [one, two] = await twoMembers();
  const loading = load(log);
  await eventually('work for both', () => members.every(({ lines }) => lines.filter(({ batch }) => batch).length > 20));
  const killedAt = Date.now();
  one.signal('SIGKILL');
  await eventually('the other has all', () => two.owned() === 8, 15_000);
  const takenOverMs = (two.lines.findLast(({ assigned }) => assigned)?.at ?? 0) - killedAt;
  process.stdout.write(`take-over after SIGKILL: ${takenOverMs} ms\n`);
  expect(takenOverMs).toBeLessThan(15_000);
  await loading.stop();
  await eventually('everything was given', () => lost(loading.acknowledged, given()).length === 0);
});

test('a consumer that is paused past its session loses its partitions, is told when it goes on, and takes part again', async () => {
  const [one, two] = await twoMembers();
  const loading = load(log);
  await eventually('work for both', () => members.every(({ lines }) => lines.filter(({ batch }) => batch).length > 20));
  one.signal('SIGSTOP');
  await eventually('the other has all', () => two.owned() === 8);
  const seen = one.lines.length;
  one.signal('SIGCONT');
  await eventually('it is told', () => one.lines.slice(seen).some(({ revoked }) => revoked?.length === 4));
  await eventually('each has half again', () => one.owned() === 4 && two.owned() === 4);
  await loading.stop();
  await eventually('everything was given', () => lost(loading.acknowledged, given()).length === 0);
  await eventually('no lag', async () => (await log.lag('work', 'g')) === 0);
});

test.each(['stop', 'kill'] as const)(
  'a broker that is restarted (%s) under load costs nothing but time',
  { timeout: 480_000 },
  async (how) => {
    const handler = recorder();
    await log.consume('work', 'g', handler);
    const loading = load(log);
    await eventually('some records', () => handler.records.length > 500);
    await cluster(how, 'kafka');
    const [before, stoppedAt] = [handler.records.length, Date.now()];
    await eventually('it shows', () => log.unhealthy() !== null);
    expect(await log.reachable()).toBe(false);
    await cluster('start', 'kafka');
    await eventually('records again', () => handler.records.length > before + 500, 150_000);
    process.stdout.write(`records again ${Date.now() - stoppedAt} ms after a ${how}, the restart included\n`);
    await loading.stop();
    const all = () => handler.records.map(text);
    await eventually('everything was given', () => lost(loading.acknowledged, all()).length === 0);
    expect(disordered(handler.records)).toEqual([]);
    await eventually('it is well', async () => log.unhealthy() === null && (await log.reachable()));
    await eventually('no lag', async () => (await log.lag('work', 'g')) === 0);
  },
);

test('an append gives up after its time-out while no broker answers, and the next one passes when it is back', async () => {
  const impatient = await openLog({ ...options, appendTimeoutMs: 2_000 });
  await cluster('stop', 'kafka');
  const record = { key: 'a/1', value: Buffer.from('x'), headers: {} };
  const began = Date.now();
  await expect(impatient.append('work', [record])).rejects.toMatchObject({ name: 'KafkaError', code: 'timed_out', retry: true });
  expect(Date.now() - began, 'the time-out is 2 s').toBeLessThan(10_000);
  await cluster('start', 'kafka');
  await eventually('an append passes', () =>
    impatient.append('work', [record]).then(
      () => true,
      () => false,
    ),
  );
  await impatient.close();
});

test('a partition that takes no records holds up no other', async () => {
  const admin = kafkaClient(options.connection, { clock: systemClock, observer: silent }, SHORT_RETRIES).admin();
  await admin.connect();
  const refusing = {
    type: ConfigResourceTypes.TOPIC,
    name: `${options.prefix}small`,
    configEntries: [{ name: 'max.message.bytes', value: '1000' }],
  };
  const both = await openLog({ ...options, topics: { ...options.topics, partitions: { work: 8, small: 4 } } });
  await admin.alterConfigs({ validateOnly: false, resources: [refusing] });
  await admin.disconnect();
  const appends = Array.from({ length: 40 }, (_, n) => [
    both.append('small', [{ key: `k/${n}`, value: Buffer.alloc(n % 2 === 0 ? 10 : 5_000), headers: {} }]),
    both.append('work', [{ key: `k/${n}`, value: Buffer.alloc(5_000), headers: {} }]),
  ]);
  const results = await Promise.allSettled(appends.flat());
  const failed = results.flatMap(({ status }, index) => (status === 'rejected' ? [index] : []));
  expect(failed).toEqual(results.flatMap((_, index) => (index % 4 === 2 ? [index] : [])));
  expect(both.unhealthy()).toBeNull();
  await both.close();
});

test('records that retention removed before they were read are passed over, the rest is given', async () => {
  const first = recorder();
  const numbers = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, n) => ({ key: 'a/1', value: Buffer.from(`${from + n}`), headers: {} }));
  const partition = log.partitionOf('work', 'a/1');
  await log.append('work', numbers(0, 3));
  const consumer = await log.consume('work', 'g', first);
  await eventually('the first three', () => first.records.length === 3);
  await consumer.stop();
  await log.append('work', numbers(3, 10));
  const admin = kafkaClient(options.connection, { clock: systemClock, observer: silent }, SHORT_RETRIES).admin();
  await admin.connect();
  await admin.fetchTopicOffsets(`${options.prefix}work`); // loads the metadata that the next call needs
  await admin.deleteTopicRecords({ topic: `${options.prefix}work`, partitions: [{ partition, offset: '6' }] });
  await admin.disconnect();
  const second = recorder();
  await log.consume('work', 'g', second);
  await eventually('the last four', () => second.records.length === 4);
  expect(second.records.map(text)).toEqual(['6', '7', '8', '9']);
  await eventually('no lag', async () => (await log.lag('work', 'g')) === 0);
});
