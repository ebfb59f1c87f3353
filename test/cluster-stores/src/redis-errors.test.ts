import { systemClock } from '@retrigger/lifecycle/system-clock.ts';
import { silent } from '@retrigger/ports/observer.ts';
import { failureOf } from '@retrigger/redis/redis-errors.ts';
import { RedisLimiter } from '@retrigger/redis/redis-limiter.ts';
import { describe, expect, inject, test } from 'vitest';

const system = (code: string) => Object.assign(new Error(`connect ${code}`), { code });

describe('the error table of Redis', () => {
  test.each([
    [system('ECONNREFUSED'), 'network', true],
    [system('ETIMEDOUT'), 'timeout', true],
    [new Error('Command timed out'), 'timeout', true],
    [new Error("Stream isn't writeable and enableOfflineQueue options is false"), 'network', true],
    [new Error('Connection is closed.'), 'network', true],
    [new Error('LOADING Redis is loading the dataset in memory'), 'starting', true],
    [new Error("READONLY You can't write against a read only replica."), 'read_only', true],
    [new Error("OOM command not allowed when used memory > 'maxmemory'."), 'out_of_memory', true],
    [new Error('WRONGPASS invalid username-password pair'), 'auth', false],
    [new Error('NOAUTH Authentication required.'), 'auth', false],
    [new Error('WRONGTYPE Operation against a key'), 'unexpected', false],
    ['no error at all', 'unexpected', false],
  ])('%s is %s, retried: %s', (error, code, retry) => {
    expect(failureOf(error)).toMatchObject({ code, retry, cause: error });
  });
});

describe('connecting to Redis', () => {
  const open = (url: string) => RedisLimiter.open(url, { clock: systemClock, observer: silent });

  test('fails at once when the address can be none', async () => {
    await expect(open('http://127.0.0.1')).rejects.toMatchObject({ code: 'bad_setting' });
    await expect(open('redis')).rejects.toMatchObject({ code: 'bad_setting' });
  });

  test('fails at once when Redis refuses the password', async () => {
    const url = new URL(inject('cluster').redisUrl);
    url.username = 'nobody';
    url.password = 'wrong';
    await expect(open(url.href)).rejects.toMatchObject({ code: 'auth', retry: false });
  });
});
