import { GroupMember } from '@retrigger/kafka/group-member.ts';
import type { CommitOffset } from '@retrigger/ports/log.ts';
import { silent } from '@retrigger/ports/observer.ts';
import { expect, test } from 'vitest';
import { manualClock } from './manual-clock.ts';
import { scriptedKafka } from './scripted-kafka.ts';

/** A member of a group on `t`, started, whose batches end when the test says so. */
async function member() {
  const clock = manualClock();
  const kafka = scriptedKafka('t');
  const told: string[] = [];
  const running: { commit: CommitOffset; end(): void }[] = [];
  const one = new GroupMember(kafka.kafka, {
    clock,
    observer: silent,
    topic: { name: 't', physical: 't' },
    group: 'g',
    sessionTimeoutMs: 8_000,
    handler: {
      async assigned(partitions) {
        told.push(`assigned ${partitions}`);
      },
      async revoked(partitions) {
        told.push(`revoked ${partitions}`);
      },
      batch(partition, records, commit) {
        told.push(`${partition}: ${records[0]?.offset}..${records.at(-1)?.offset}`);
        return new Promise((end) => running.push({ commit, end }));
      },
    },
  });
  let ended: string | undefined;
  void one.run(new Map()).then((reason) => {
    ended = reason;
  });
  const settle = () => clock.advance(0);
  await settle();
  await kafka.join();
  kafka.joined([0, 1]);
  await settle();
  return { one, kafka, clock, told, running, settle, ended: () => ended };
}

test('J1: a rebalance waits for the running batch and its commit, and no batch begins meanwhile', async () => {
  const { kafka, told, running, settle } = await member();
  await kafka.fetched(0, 0, 2);
  await settle();
  await kafka.fetched(1, 5, 6);
  kafka.emit('REBALANCING');
  let joining = false;
  const join = kafka.join().then(() => {
    joining = true;
  });
  await settle();
  expect(joining).toBe(false);
  const commits = running.map(({ commit }, index) => commit(index === 0 ? 2 : 6));
  await Promise.all(commits);
  expect(kafka.committed).toEqual(['0:2', '1:6']);
  for (const { end } of running) end();
  await join;
  const late = running[0]?.commit(3);
  await settle();
  expect(kafka.committed).toHaveLength(2);
  kafka.joined([0, 1]);
  await late;
  expect(kafka.committed).toEqual(['0:2', '1:6', '0:3']);
  expect(told).toEqual(['assigned 0,1', '0: 0..1', '1: 5..5']);
});

test('J1: a batch that takes longer than 3 s does not hold up the join', async () => {
  const { kafka, clock, settle } = await member();
  await kafka.fetched(0, 0, 1);
  await settle();
  kafka.emit('REBALANCING');
  let joining = false;
  void kafka.join().then(() => {
    joining = true;
  });
  await clock.advance(2_900);
  expect(joining).toBe(false);
  await clock.advance(200);
  await settle();
  expect(joining).toBe(true);
});

test('J2: after a join of one try, what is kept goes on; after one of two, everything is revoked first', async () => {
  const { kafka, told, settle } = await member();
  kafka.emit('REBALANCING');
  await kafka.join();
  kafka.joined([1, 2]);
  await settle();
  expect(told).toEqual(['assigned 0,1', 'revoked 0', 'assigned 2']);
  kafka.emit('REBALANCING');
  await kafka.join();
  await kafka.join();
  kafka.joined([1, 2]);
  await settle();
  expect(told.slice(3)).toEqual(['revoked 1,2', 'assigned 1,2']);
});

test('J3: a join that no rebalance announced is refused and ends the member', async () => {
  const { one, kafka, told, running, settle, ended } = await member();
  await kafka.fetched(0, 0, 1);
  await settle();
  expect(await kafka.join()).toBe(false);
  await kafka.fetched(0, 1, 5);
  await settle();
  expect(ended()).toMatch(/no longer knows this member/);
  expect(one.consuming).toBe(false);
  expect(told).toEqual(['assigned 0,1', '0: 0..0', 'revoked 0,1']);
  await running[0]?.commit(1);
  expect(kafka.committed).toEqual([]);
  expect(kafka.calls).toEqual(['disconnect']);
});

test('J4: a join that failed ends the member instead of leaving it fetching in silence', async () => {
  const { kafka, told, settle, ended } = await member();
  kafka.emit('REBALANCING');
  await kafka.join();
  kafka.emit('FETCH_START');
  await settle();
  expect(ended()).toBe('a join failed');
  expect(told).toEqual(['assigned 0,1', 'revoked 0,1']);
});

test('a crash revokes everything and ends the member', async () => {
  const { kafka, told, settle, ended } = await member();
  kafka.emit('CRASH', { error: new Error('gone') });
  await settle();
  expect(ended()).toBe('Error: gone');
  expect(told).toEqual(['assigned 0,1', 'revoked 0,1']);
});

test('a stop waits for the running batch, takes its commit, and begins no other, whatever the group does', async () => {
  const { one, kafka, told, running, settle, ended } = await member();
  await kafka.fetched(0, 0, 1);
  await settle();
  const stopped = one.stop();
  await kafka.fetched(1, 0, 1);
  kafka.emit('REBALANCING');
  await settle();
  expect(ended()).toBeUndefined();
  await running[0]?.commit(1);
  expect(kafka.committed).toEqual(['0:1']);
  running[0]?.end();
  await stopped;
  await settle();
  expect(told).toEqual(['assigned 0,1', '0: 0..0', 'revoked 0,1']);
  expect(ended()).toBe('stopped');
});
