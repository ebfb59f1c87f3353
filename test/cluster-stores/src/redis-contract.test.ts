import { randomUUID } from 'node:crypto';
import { systemClock } from '@retrigger/lifecycle/system-clock.ts';
import { silent } from '@retrigger/ports/observer.ts';
import { RedisAnswers } from '@retrigger/redis/redis-answers.ts';
import { RedisLeases } from '@retrigger/redis/redis-leases.ts';
import { RedisLimiter } from '@retrigger/redis/redis-limiter.ts';
import { answersContract } from '@retrigger/test-contract/answers-contract.ts';
import { leasesContract } from '@retrigger/test-contract/leases-contract.ts';
import { limiterContract } from '@retrigger/test-contract/limiter-contract.ts';
import { inject } from 'vitest';

const { redisUrl } = inject('cluster');
const context = { clock: systemClock, observer: silent };
const timeoutMs = 30_000;

answersContract('Redis', {
  async open() {
    const [door, worker] = [
      await RedisAnswers.open(redisUrl, randomUUID(), context),
      await RedisAnswers.open(redisUrl, randomUUID(), context),
    ];
    return {
      door,
      worker,
      waiting: () => door.waiting,
      async close() {
        await door.close();
        await worker.close();
      },
    };
  },
  timeoutMs,
});

leasesContract('Redis', {
  async open() {
    const [leases, other] = [await RedisLeases.open(redisUrl, context), await RedisLeases.open(redisUrl, context)];
    return {
      leases,
      other,
      async close() {
        await leases.close();
        await other.close();
      },
    };
  },
  timeoutMs,
});

limiterContract('Redis', {
  async open() {
    const [limiter, other] = [await RedisLimiter.open(redisUrl, context), await RedisLimiter.open(redisUrl, context)];
    return {
      limiter,
      other,
      async close() {
        await limiter.close();
        await other.close();
      },
    };
  },
  timeoutMs,
});
