import { OffsetCommitter } from '@retrigger/kafka/offset-committer.ts';
import { PartitionLease } from '@retrigger/kafka/partition-lease.ts';
import { silent } from '@retrigger/ports/observer.ts';
import { expect, test } from 'vitest';
import { manualClock } from './manual-clock.ts';

type Sent = { offsets: { [partition: number]: number }; succeed(): void; fail(type: string): void };

function committing() {
  const clock = manualClock();
  const ended = new AbortController();
  const sent: Sent[] = [];
  const committer = new OffsetCommitter(
    (offsets) =>
      new Promise((resolve, reject) =>
        sent.push({
          offsets: Object.fromEntries(offsets.map(({ partition, offset }) => [partition, Number(offset)])),
          succeed: resolve,
          fail: (type) => reject(Object.assign(new Error(type), { type })),
        }),
      ),
    clock,
    silent,
    ended.signal,
  );
  const lease = (partition: number) =>
    new PartitionLease(partition, {
      clock,
      observer: silent,
      handler: { async assigned() {}, async revoked() {}, async batch() {} },
      throttle() {},
      commit: (of, next) => committer.commit(of, next),
    });
  return { clock, ended, sent, committer, lease };
}

const settled = async (promise: Promise<unknown>): Promise<boolean> => {
  let done = false;
  void promise.then(() => {
    done = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  return done;
};

test('O1: an offset never moves back', async () => {
  const { sent, committer, lease } = committing();
  const one = lease(0);
  const first = committer.commit(one, 10);
  sent[0]?.succeed();
  await first;
  await committer.commit(one, 10);
  await committer.commit(one, 4);
  expect(sent.map(({ offsets }) => offsets)).toEqual([{ 0: 10 }]);
});

test('O5: a commit goes at once; those that come within 100 ms of its answer go together', async () => {
  const { clock, sent, committer, lease } = committing();
  const [one, two] = [lease(0), lease(1)];
  const all = [committer.commit(one, 1), committer.commit(one, 2)];
  sent[0]?.succeed();
  await all[0];
  all.push(committer.commit(two, 7), committer.commit(one, 5));
  await clock.advance(99);
  expect(sent).toHaveLength(1);
  await clock.advance(1);
  sent[1]?.succeed();
  await Promise.all(all);
  expect(sent.map(({ offsets }) => offsets)).toEqual([{ 0: 1 }, { 0: 5, 1: 7 }]);
});

test.each([
  ['a join comes', 'hurry'],
  ['the member stops', 'giveUp'],
] as const)('O5: when %s nothing is put off', async (_what, call) => {
  const { sent, committer, lease } = committing();
  const one = lease(0);
  const first = committer.commit(one, 1);
  sent[0]?.succeed();
  await first;
  const second = committer.commit(one, 2);
  expect(await settled(second)).toBe(false);
  committer[call]();
  await settled(second);
  expect(sent.map(({ offsets }) => offsets)).toEqual([{ 0: 1 }, { 0: 2 }]);
});

test('O5: after a join offsets are put off again', async () => {
  const { clock, sent, committer, lease } = committing();
  const one = lease(0);
  committer.hurry();
  committer.block(true);
  committer.block(false);
  const first = committer.commit(one, 1);
  sent[0]?.succeed();
  await first;
  const second = committer.commit(one, 2);
  await settled(second);
  expect(sent).toHaveLength(1);
  await clock.advance(100);
  expect(sent).toHaveLength(2);
});

test('O2, J1: while a join is under way nothing is sent, and what the join took away never is', async () => {
  const { sent, committer, lease } = committing();
  const [kept, lost] = [lease(0), lease(1)];
  committer.block(true);
  const commits = [committer.commit(kept, 3), committer.commit(lost, 3)];
  expect(sent).toEqual([]);
  lost.end();
  committer.block(false);
  expect(sent.map(({ offsets }) => offsets)).toEqual([{ 0: 3 }]);
  sent[0]?.succeed();
  expect(await Promise.all(commits), 'whether they counted').toEqual([true, false]);
  expect(await committer.commit(lost, 9)).toBe(false);
  expect(sent).toHaveLength(1);
});

test('O3: a commit that failed is sent again until it stands or its partition is lost', async () => {
  const { clock, sent, committer, lease } = committing();
  const one = lease(0);
  const commit = committer.commit(one, 3);
  sent[0]?.fail('REBALANCE_IN_PROGRESS');
  await clock.advance(1_000);
  sent[1]?.fail('NOT_COORDINATOR_FOR_GROUP');
  expect(await settled(commit)).toBe(false);
  await clock.advance(1_000);
  expect(sent).toHaveLength(3);
  one.end();
  sent[2]?.fail('ILLEGAL_GENERATION');
  await clock.advance(1_000);
  expect(await commit).toBe(false);
  expect(sent).toHaveLength(3);
});

test('O4: a member that stops leaves what can’t be committed to the next owner', async () => {
  const { sent, committer, lease } = committing();
  const commit = committer.commit(lease(0), 3);
  committer.giveUp();
  sent[0]?.fail('ECONNREFUSED');
  expect(await commit).toBe(false);
  expect(sent).toHaveLength(1);
});

test('commits of a member that has ended resolve without effect', async () => {
  const { ended, sent, committer, lease } = committing();
  committer.block(true);
  const commit = committer.commit(lease(0), 3);
  ended.abort();
  await commit;
  expect(sent).toEqual([]);
});
