import { randomUUID } from 'node:crypto';
import { systemClock } from '@retrigger/lifecycle/system-clock.ts';
import type { Answer } from '@retrigger/ports/answers.ts';
import { silent } from '@retrigger/ports/observer.ts';
import { RedisAnswers } from '@retrigger/redis/redis-answers.ts';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { clusterScript } from './cluster.ts';
import { eventually } from './eventually.ts';
import { startFreezingProxy } from './freezing-proxy.ts';

const { folder, redisUrl } = inject('cluster');
const answer = (commandId: string, n = 0): Answer => ({ commandId, outcome: { kind: 'accepted', answer: { n } }, replayed: false });

describe('answers by way of Redis', () => {
  let open: RedisAnswers[];
  let observer: Redis;

  beforeEach(async () => {
    open = [];
    observer = new Redis(redisUrl, { retryStrategy: () => 50 });
    observer.on('error', () => {}); // it is taken away on purpose
  });

  afterEach(async () => {
    await Promise.all(open.map((answers) => answers.close()));
    observer.disconnect();
  });

  const process = async (url = redisUrl): Promise<RedisAnswers> => {
    const answers = await RedisAnswers.open(url, randomUUID(), { clock: systemClock, observer: silent });
    open.push(answers);
    return answers;
  };
  const isSubscribed = async ({ address }: RedisAnswers): Promise<boolean> => {
    const [, count] = await observer.pubsub('NUMSUB', address);
    return Number(count) === 1;
  };

  test('A1: go to the process they are addressed to, to everyone there who expects them, and to nobody else', async () => {
    const [gateway, other, worker] = [await process(), await process(), await process()];
    const expected = [gateway.expect('c1', 5_000), gateway.expect('c1', 5_000), gateway.expect('c2', 300), other.expect('c1', 300)];
    await worker.give(gateway.address, [answer('c1'), answer('c3')]);
    expect(await Promise.all(expected)).toEqual([answer('c1'), answer('c1'), undefined, undefined]);
  });

  test('A1: none of 500 that are asked for one after the other is missed', async () => {
    const [gateway, worker] = [await process(), await process()];
    for (let n = 0; n < 500; n++) {
      const expected = gateway.expect(`c${n}`, 5_000);
      await worker.give(gateway.address, [answer(`c${n}`, n)]);
      expect(await expected).toEqual(answer(`c${n}`, n));
    }
  });

  test('a Redis that is flushed under waiting callers loses them no answer', async () => {
    const [gateway, worker] = [await process(), await process()];
    const expected = gateway.expect('c1', 5_000);
    await observer.flushall();
    await worker.give(gateway.address, [answer('c1')]);
    expect(await expected).toEqual(answer('c1'));
  });

  test('a Redis that is killed and comes back under waiting callers: what is given meanwhile is lost, they still get what is given then', async () => {
    const [gateway, worker] = [await process(), await process()];
    const [early, late] = [gateway.expect('early', 1_500), gateway.expect('late', 30_000)];
    await clusterScript(folder, 'kill', 'redis');
    await worker.give(gateway.address, [answer('early')]);
    await clusterScript(folder, 'start', 'redis');
    await eventually('the gateway listens again', () => isSubscribed(gateway).catch(() => false));
    await eventually('the answer comes', async () => {
      await worker.give(gateway.address, [answer('late')]);
      return (await Promise.race([late, gateway.expect('late', 100)])) !== undefined;
    });
    expect([await early, await late]).toEqual([undefined, answer('late')]);
  });

  test('a connection that carries nothing any more is noticed while nobody asks anything, and made anew', async () => {
    const proxy = await startFreezingProxy(redisUrl);
    try {
      const [gateway, worker] = [await process(proxy.url), await process()];
      const expected = gateway.expect('c1', 30_000);
      proxy.freeze();
      await eventually('the answer comes', async () => {
        await worker.give(gateway.address, [answer('c1')]);
        return (await Promise.race([expected, gateway.expect('c1', 100)])) !== undefined;
      });
    } finally {
      await proxy.close();
    }
  });

  test('A2: a worker whose connection carries nothing any more gives its answers without waiting', async () => {
    const proxy = await startFreezingProxy(redisUrl);
    try {
      const worker = await process(proxy.url);
      proxy.freeze();
      let longestMs = 0;
      for (let n = 0; n < 20; n++) {
        const begun = performance.now();
        await worker.give('nobody', [answer(`c${n}`)]);
        longestMs = Math.max(longestMs, performance.now() - begun);
      }
      expect(longestMs, 'a reply is waited for 1 s').toBeLessThan(950);
    } finally {
      await proxy.close();
    }
  });

  test('a message that is no answer is left aside', async () => {
    const [gateway, worker] = [await process(), await process()];
    const expected = gateway.expect('c1', 5_000);
    await observer.publish(gateway.address, 'no answer');
    await worker.give(gateway.address, [answer('c1')]);
    expect(await expected).toEqual(answer('c1'));
  });
});
