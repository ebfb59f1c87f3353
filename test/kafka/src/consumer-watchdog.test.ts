import { type WatchedMember, watchConsumer } from '@retrigger/kafka/consumer-watchdog.ts';
import { silent } from '@retrigger/ports/observer.ts';
import { expect, test } from 'vitest';
import { manualClock } from './manual-clock.ts';

/** A member that does what its test says, instead of KafkaJS. */
class ScriptedMember implements WatchedMember {
  #consuming = false;
  consumed = false;
  progress = 0;
  reason: string | undefined;
  #end: (reason: string) => void = () => {};
  get consuming(): boolean {
    return this.#consuming;
  }
  set consuming(consuming) {
    this.#consuming = consuming;
    this.consumed ||= consuming;
  }
  run(): Promise<string> {
    return new Promise((resolve) => {
      this.#end = (reason) => {
        this.consuming = false;
        this.reason = reason;
        resolve(reason);
      };
    });
  }
  abandon(reason: string): void {
    this.#end(reason);
  }
  async stop(): Promise<void> {
    this.#end('stopped');
  }
}

function watched() {
  const clock = manualClock();
  const members: ScriptedMember[] = [];
  const made: number[] = [];
  const consumer = watchConsumer(
    () => {
      const member = new ScriptedMember();
      members.push(member);
      made.push(clock.now());
      return member;
    },
    'g',
    clock,
    silent,
  );
  return { clock, members, made, consumer };
}

test('D1: a consumer that ended is followed by a new one, and readiness shows the gap', async () => {
  const { clock, members, consumer } = watched();
  for (const member of members) member.consuming = true;
  await clock.advance(100);
  expect(consumer.healthy).toBe(true);
  members[0]?.abandon('crashed');
  expect(consumer.healthy).toBe(false);
  await clock.advance(100);
  expect(members).toHaveLength(2);
  expect(consumer.healthy).toBe(false);
  Object.assign(members[1] ?? {}, { consuming: true });
  expect(consumer.healthy).toBe(true);
  await consumer.stop();
  expect(members[1]?.reason).toBe('stopped');
});

test('D1: pauses grow while no consumer comes to consume, and are bounded', async () => {
  const { clock, members, made, consumer } = watched();
  for (let n = 0; n < 10; n++) {
    members.at(-1)?.abandon('no broker');
    await clock.advance(5_000);
  }
  const pauses = made.slice(1).map((at, index) => at - (made[index] ?? 0));
  expect(members).toHaveLength(11);
  expect(Math.max(...pauses)).toBeLessThanOrEqual(10_000);
  await consumer.stop();
});

test('D2: a consumer that shows no life is unhealthy after seconds and replaced after 40', async () => {
  const { clock, members, consumer } = watched();
  Object.assign(members[0] ?? {}, { consuming: true });
  await clock.advance(10_000);
  expect(consumer.healthy).toBe(false);
  expect(members).toHaveLength(1);
  await clock.advance(35_000);
  expect(members[0]?.reason).toBe('it neither fetches nor joins');
  expect(members).toHaveLength(2);
  await consumer.stop();
});

test('D2: a consumer that lives is left alone', async () => {
  const { clock, members, consumer } = watched();
  for (let second = 0; second < 100; second++) {
    Object.assign(members[0] ?? {}, { consuming: true, progress: second });
    await clock.advance(1_000);
  }
  expect(members).toHaveLength(1);
  expect(consumer.healthy).toBe(true);
  await consumer.stop();
});
