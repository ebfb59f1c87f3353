import { createClient } from '@retrigger/client/client.ts';
import { createExecutor, type Executor, type Source } from '@retrigger/client/executor.ts';
import type { Problem } from '@retrigger/client/outcome.ts';
import { Final, type Run } from '@retrigger/client/run-execution.ts';
import type { Execution } from '@retrigger/client/types.ts';
import { afterEach, describe, expect, test } from 'vitest';
import { type Reply, refusal, scriptedGateway, success } from './scripted-gateway.ts';

/** Executions that a test holds in its hands. */
class HandSource implements Source {
  readonly waiting: Execution[] = [];
  readonly rooms: number[] = [];
  isBroken = false;
  isClosed = false;

  async take(type: string, room: number, stopping: AbortSignal): Promise<Execution[]> {
    if (this.isBroken) throw new Error('the source is away');
    this.rooms.push(room);
    const mine = this.waiting.filter((one) => one.type === type).slice(0, room);
    for (const one of mine) this.waiting.splice(this.waiting.indexOf(one), 1);
    if (mine.length === 0 && !stopping.aborted) await new Promise((resolve) => setTimeout(resolve, 5));
    return mine;
  }

  async close() {
    this.isClosed = true;
  }
}

const execution = (name: string, more: Partial<Execution> = {}): Execution => ({
  ...{ executionId: name, runId: `run-${name}`, taskId: `task-${name}`, type: 'job', attempt: 1, context: {}, heartbeatTimeout: '90ms' },
  ...more,
});

const running: { executor: Executor; gateway: { stop(): Promise<void> } }[] = [];
afterEach(async () => {
  for (const { executor, gateway } of running.splice(0)) {
    await executor.stop();
    await gateway.stop();
  }
});

/** Answers when the test says so. */
class HeldSource implements Source {
  readonly mostAsked = 3;
  readonly asked: { room: number; give(executions: Execution[]): void; fail(): void }[] = [];

  take(_type: string, room: number, stopping: AbortSignal): Promise<Execution[]> {
    return new Promise((resolve, reject) => {
      this.asked.push({ room, give: resolve, fail: () => reject(new Error('the source is away')) });
      stopping.addEventListener('abort', () => resolve([]));
    });
  }

  async close() {}
}

async function start(run: Run, options: { reply?: Reply; concurrency?: number | { [type: string]: number }; types?: string[] } = {}) {
  return startOn(new HandSource(), run, options);
}

async function startOn<S extends Source>(
  source: S,
  run: Run,
  options: { reply?: Reply; concurrency?: number | { [type: string]: number }; types?: string[] } = {},
) {
  const { reply = success({ heartbeatTimeout: '90ms' }), types = ['job'], concurrency = 1 } = options;
  const gateway = await scriptedGateway(reply);
  const troubles: Problem[] = [];
  const client = createClient({ url: gateway.url, key: 'k' });
  const executor = createExecutor({ client, types, run, concurrency, source, trouble: (_, problem) => troubles.push(problem) });
  running.push({ executor, gateway });
  const reports = () => gateway.got.map(({ url }) => url.replace('/api/v1/executions/', ''));
  const ends = () =>
    gateway.got.filter(({ url }) => /completed|failed/.test(url)).map(({ url, body }) => [url.replace('/api/v1/executions/', ''), body]);
  return { executor, source, troubles, reports, ends, got: gateway.got };
}

async function eventually(what: string, ask: () => boolean): Promise<void> {
  for (const end = performance.now() + 20_000; !ask(); await new Promise((resolve) => setTimeout(resolve, 5)))
    if (performance.now() > end) throw new Error(`it did not happen: ${what}`);
}

const aborted = (signal: AbortSignal) =>
  new Promise<Error>((resolve) => signal.addEventListener('abort', () => resolve(signal.reason), { once: true }));

describe('an executor', () => {
  test('reports what a run returns, throws, and throws for good', async () => {
    const { source, ends } = await start(async ({ executionId }) => {
      if (executionId === 'b') throw new Error('not now');
      if (executionId === 'c') throw new Final('never');
      return executionId === 'a' ? { ok: true } : undefined;
    });
    source.waiting.push(...['a', 'b', 'c', 'd'].map((name) => execution(name)));
    await eventually('all have ended', () => ends().length === 4);
    expect(ends()).toEqual([
      ['a/completed', { result: { ok: true } }],
      ['b/failed', { error: 'not now' }],
      ['c/failed', { error: 'never', retryable: false }],
      ['d/completed', {}],
    ]);
  });

  test('fails for good what has a result that can not be kept', async () => {
    const circular: { self?: object } = {};
    circular.self = circular;
    const large = await start(async () => 'x', {
      reply: (response, got) => (got.url.endsWith('completed') ? refusal(413, 'payload_too_large') : success({}))(response, got),
    });
    large.source.waiting.push(execution('a'));
    const none = await start(async () => circular);
    none.source.waiting.push(execution('b'));
    await eventually('both are told', () => large.ends().length === 2 && none.ends().length === 1);
    expect(large.ends()[1]).toEqual(['a/failed', { error: expect.stringContaining('payload_too_large'), retryable: false }]);
    expect(none.ends()[0]).toEqual(['b/failed', { error: 'Its result is no JSON', retryable: false }]);
  });

  test('runs no more of a type at once than it may, and asks for no more than it has room for (X1)', async () => {
    let [now, most] = [0, 0];
    const { source, ends } = await start(
      async ({ type }) => {
        most = Math.max(most, type === 'job' ? ++now : 0);
        await new Promise((resolve) => setTimeout(resolve, 20));
        if (type === 'job') now--;
      },
      { concurrency: { job: 3, other: 1 }, types: ['job', 'other'] },
    );
    source.waiting.push(...Array.from({ length: 20 }, (_, n) => execution(`e${n}`)), execution('o', { type: 'other' }));
    await eventually('all have ended', () => ends().length === 21);
    expect(most).toBe(3);
    expect(Math.max(...source.rooms)).toBe(3);
  });

  test('asks on while it is given something, each time for a share of its room, and once while there is nothing (X1, X4)', async () => {
    const enough = Promise.withResolvers<void>();
    const { source, executor } = await startOn(new HeldSource(), () => enough.promise, { concurrency: 9 });
    const { asked } = source;
    const names = (from: number, count: number) => Array.from({ length: count }, (_, n) => execution(`e${from + n}`));
    await eventually('it asks once', () => asked.length === 1);
    asked[0]?.give(names(0, 3));
    await eventually('it asks twice', () => asked.length === 3);
    asked[1]?.give(names(3, 1)); // leaves room for two, which is less than a share
    await eventually('one runs more', () => executor.running === 4);
    asked[2]?.give([]);
    await eventually('it goes on asking', () => asked.length === 4);
    asked[3]?.give(names(4, 3));
    await eventually('it asks alone for what is left', () => asked.length === 5);
    expect(asked.map(({ room }) => room)).toEqual([3, 3, 3, 3, 2]);
    asked[4]?.fail();
    await eventually('it asks again', () => asked.length === 6);
    expect(asked[5]?.room).toBe(2);
    enough.resolve();
  });

  test('sends heartbeats while it runs, a third of the silence that is allowed apart, and none after it', async () => {
    const enough = Promise.withResolvers<void>();
    const { source, reports, executor, got } = await start(() => enough.promise);
    source.waiting.push(execution('a'));
    const beats = () => reports().filter((url) => url === 'a/heartbeat').length;
    await eventually('it is heard again and again', () => beats() >= 4);
    enough.resolve();
    await executor.stop();
    expect(reports().at(-1)).toBe('a/completed');
    expect((got[beats() - 1]?.at ?? 0) - (got[0]?.at ?? 0)).toBeGreaterThanOrEqual((beats() - 1) * 30 - 15);
  });

  test('tells a run that its execution is stale, and reports nothing of it (N1)', async () => {
    let reason: Error | undefined;
    const { source, reports, executor } = await start(
      async (_, signal) => {
        reason = await aborted(signal);
        return 'too late';
      },
      { reply: refusal(409, 'stale_execution') },
    );
    source.waiting.push(execution('a'));
    await eventually('the run was told', () => reason !== undefined);
    expect(reason?.message).toBe('it is stale_execution');
    await executor.stop();
    expect(reports()).toEqual(['a/heartbeat']);
  });

  test('tells a run that its deadline has passed, and reports nothing of it (N1)', async () => {
    let reason: Error | undefined;
    const { source, executor, ends } = await start(async (_, signal) => {
      reason = await aborted(signal);
    });
    source.waiting.push(execution('a', { deadlineAt: new Date(Date.now() + 60).toISOString() }));
    await eventually('the run was told', () => reason !== undefined);
    expect(reason?.message).toContain('deadline');
    await executor.stop();
    expect(ends()).toEqual([]);
  });

  test('tells a report again until it is taken', async () => {
    let tries = 0;
    const { source, ends, troubles, got } = await start(async () => 1, {
      reply: (response, one) => (++tries < 3 ? refusal(503, 'unavailable') : success({}))(response, one),
    });
    source.waiting.push(execution('a', { heartbeatTimeout: '60s' }));
    await eventually('it was taken', () => ends().length === 3);
    expect(new Set(got.map(({ key }) => key)).size).toBe(1);
    expect(troubles).toEqual([]);
  });

  test('stops when what it runs has ended and been reported, and takes no more (X2)', async () => {
    let finish = () => {};
    const { source, executor, ends } = await start(
      () =>
        new Promise<void>((resolve) => {
          finish = resolve;
        }),
    );
    source.waiting.push(execution('a'), execution('b'));
    await eventually('it runs', () => executor.running === 1);
    let isStopped = false;
    const stopped = executor.stop().then(() => {
      isStopped = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect([isStopped, source.isClosed]).toEqual([false, false]);
    finish();
    await stopped;
    expect(ends().map(([url]) => url)).toEqual(['a/completed']);
    expect([source.waiting.map(({ executionId }) => executionId), source.isClosed]).toEqual([['b'], true]);
  });

  test('goes on when its source was away, and says so (X3)', async () => {
    const { source, ends, troubles } = await start(async () => 1);
    source.isBroken = true;
    await eventually('it was told', () => troubles.length > 0);
    source.isBroken = false;
    source.waiting.push(execution('a'));
    await eventually('it has run', () => ends().length === 1);
    expect(troubles[0]).toMatchObject({ code: 'unreachable', detail: expect.stringContaining('away') });
  });
});
