import type { KafkaLog } from '@retrigger/kafka/kafka-log.ts';
import type { CommitOffset, LogRecord } from '@retrigger/ports/log.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventually } from './eventually.ts';
import { logOptions, openLog, record, recorder, text } from './open-log.ts';

let options: Awaited<ReturnType<typeof logOptions>>;
let log: KafkaLog;

beforeEach(async () => {
  options = await logOptions({ work: 8, lone: 1 });
  log = await openLog(options);
});
afterEach(() => log.close());

test('a record comes back as it was appended, with the time of the log', async () => {
  const value = new Uint8Array([0, 255, 10, 128]);
  const before = Date.now();
  await log.append('work', [{ key: 'acme/ünï', value, headers: { traceparent: '00-x', reason: 'wörd' } }]);
  const handler = recorder();
  await log.consume('work', 'g', handler);
  await eventually('the record', () => handler.records.length === 1);
  const [got] = handler.records;
  expect(got).toMatchObject({ topic: 'work', key: 'acme/ünï', headers: { traceparent: '00-x', reason: 'wörd' }, offset: 0 });
  expect(new Uint8Array(got?.value ?? [])).toEqual(value);
  expect(got?.partition).toBe(log.partitionOf('work', 'acme/ünï'));
  expect(got?.at).toBeGreaterThanOrEqual(before - 50);
  expect(got?.at).toBeLessThanOrEqual(Date.now() + 50);
});

test('a key that is no text comes back byte for byte, and goes on like that', async () => {
  const keyBytes = Buffer.from([0, 0xff, 0xfe, 0x41]);
  await log.append('lone', [{ ...record('', 'v'), keyBytes }]);
  const handler = recorder();
  await log.consume('lone', 'g', handler);
  await eventually('the record', () => handler.records.length === 1);
  expect(handler.records[0]?.keyBytes).toEqual(keyBytes);
});

test('L2, L3: records of one key keep the order of their appends, however many are under way', async () => {
  const handler = recorder();
  await log.consume('work', 'g', handler);
  const keys = ['a/1', 'a/2', 'a/3', 'b/1', 'b/2'];
  const appends: Promise<void>[] = [];
  for (let n = 0; n < 2_000; n += 2) {
    const key = keys[n % keys.length] ?? '';
    appends.push(log.append('work', [record(key, `${n}`), record(key, `${n + 1}`)]));
  }
  await Promise.all(appends);
  await eventually('all records', () => handler.records.length >= 2_000);
  for (const key of keys) {
    const numbers = handler.records.filter((each) => each.key === key).map((each) => Number(text(each)));
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    expect(new Set(handler.records.filter((each) => each.key === key).map(({ partition }) => partition)).size).toBe(1);
  }
  for (let partition = 0; partition < 8; partition++) {
    const of = handler.records.filter((each) => each.partition === partition);
    expect(of.map(({ offset }) => offset)).toEqual(of.map((_, index) => index));
    expect(of.map(({ at }) => at)).toEqual(of.map(({ at }) => at).toSorted((a, b) => a - b));
  }
});

test('a record that is too large fails its own append, one of 4 MB passes', async () => {
  const huge = { key: 'a/1', value: Buffer.alloc(5 * 1024 * 1024), headers: {} };
  const large = { key: 'a/1', value: Buffer.alloc(4 * 1000 * 1000), headers: {} };
  const results = await Promise.allSettled([
    log.append('work', [record('a/1', 'before')]),
    log.append('work', [huge]),
    log.append('work', [large]),
    log.append('work', [record('a/1', 'after')]),
  ]);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
  expect(results[1]).toMatchObject({ reason: { name: 'KafkaError', code: 'too_large', retry: false } });
  const handler = recorder();
  await log.consume('work', 'g', handler);
  await eventually('three records', () => handler.records.length === 3);
  expect(handler.records.map(({ value }) => value.byteLength)).toEqual([6, 4_000_000, 5]);
});

test('a batch that throws comes again, whole, and nothing is passed over', async () => {
  const seen: string[][] = [];
  await log.append('lone', [record('k', '1'), record('k', '2')]);
  await log.consume('lone', 'g', {
    async assigned() {},
    async revoked() {},
    async batch(_partition, records) {
      seen.push(records.map(text));
      if (seen.length < 3) throw new Error('not yet');
    },
  });
  await eventually('the second try', () => seen.length >= 2);
  await log.append('lone', [record('k', '3')]);
  await eventually('the last record', () => seen.flat().includes('3'));
  expect(seen).toEqual([['1', '2'], ['1', '2'], ['1', '2'], ['3']]);
});

test('an assignment that throws is told again before any record is given', async () => {
  const told: string[] = [];
  await log.append('lone', [record('k', '1')]);
  await log.consume('lone', 'g', {
    async assigned() {
      told.push('assigned');
      if (told.length < 3) throw new Error('the store is away');
    },
    async revoked() {},
    async batch(_partition, records) {
      told.push(...records.map(text));
    },
  });
  await eventually('the record', () => told.includes('1'));
  expect(told).toEqual(['assigned', 'assigned', 'assigned', '1']);
});

test('a partition whose batch takes long holds up no other', async () => {
  let finish = () => {};
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const [slow, fast] = ['a/1', 'a/2'].sort((a, b) => log.partitionOf('work', a) - log.partitionOf('work', b)) as [string, string];
  expect(log.partitionOf('work', slow)).not.toBe(log.partitionOf('work', fast));
  const got: string[] = [];
  await log.consume('work', 'g', {
    async assigned() {},
    async revoked() {},
    async batch(_partition, records) {
      if (records.some(({ key }) => key === slow)) await finished;
      got.push(...records.map(text));
    },
  });
  await log.append('work', [record(slow, 'slow')]);
  for (let n = 0; n < 20; n++) {
    await log.append('work', [record(fast, `${n}`)]);
    await eventually(`record ${n}`, () => got.includes(`${n}`));
  }
  expect(got).not.toContain('slow');
  finish();
  await eventually('the slow one', () => got.includes('slow'));
});

test('L5: what was not committed comes to the next owner, from the lowest uncommitted offset', async () => {
  await log.append(
    'lone',
    ['0', '1', '2', '3', '4'].map((value) => record('k', value)),
  );
  const commits: CommitOffset[] = [];
  const first: LogRecord[] = [];
  const consumer = await log.consume('lone', 'g', {
    async assigned() {},
    async revoked() {},
    async batch(_partition, records, commit) {
      first.push(...records);
      commits.push(commit);
    },
  });
  await eventually('five records', () => first.length === 5);
  await commits[0]?.(3);
  await commits[0]?.(1); // never back
  expect(await log.lag('lone', 'g')).toBe(2);
  await consumer.stop();
  await commits[0]?.(5); // revoked: no more
  const second = recorder();
  await log.consume('lone', 'g', second);
  await eventually('the rest', () => second.records.length === 2);
  expect(second.records.map(text)).toEqual(['3', '4']);
  await eventually('no lag', async () => (await log.lag('lone', 'g')) === 0);
});

test('a commit counts long after its batch was handed over, while the partition is still owned', async () => {
  const commits: CommitOffset[] = [];
  await log.append('lone', [record('k', '0'), record('k', '1')]);
  const consumer = await log.consume('lone', 'g', {
    async assigned() {},
    async revoked() {
      await commits[0]?.(2); // a stop gives back; the last commits still count
    },
    async batch(_partition, _records, commit) {
      commits.push(commit);
    },
  });
  await eventually('the batch', () => commits.length === 1);
  await consumer.stop();
  expect(await log.lag('lone', 'g')).toBe(0);
});

test('lag counts a group that never read, and a group that has read all', async () => {
  await log.append(
    'work',
    Array.from({ length: 25 }, (_, n) => record(`a/${n}`, 'x')),
  );
  const unread = await log.lag('work', 'nobody');
  const handler = recorder();
  await log.consume('work', 'g', handler);
  await eventually('no lag', async () => (await log.lag('work', 'g')) === 0);
  expect(unread).toBeGreaterThanOrEqual(25);
  expect(handler.records).toHaveLength(unread); // more than 25 where a slow broker was sent some twice
});

test('a stop waits for the running batch, then revokes', async () => {
  const told: string[] = [];
  await log.append('lone', [record('k', '0')]);
  const consumer = await log.consume('lone', 'g', {
    async assigned() {},
    async revoked() {
      told.push('revoked');
    },
    async batch(_partition, records, commit) {
      told.push('begun');
      await log.append('work', [record('a/1', 'inside')]);
      await commit((records.at(-1)?.offset ?? 0) + 1);
      told.push('finished');
    },
  });
  await eventually('the batch', () => told.includes('begun'));
  await consumer.stop();
  expect(told).toEqual(['begun', 'finished', 'revoked']);
  expect(await log.lag('lone', 'g')).toBe(0);
});
