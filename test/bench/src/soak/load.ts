import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Pool } from 'undici';
import { closedLoop, openLoop } from '../load.ts';

/** So many that a task has ended long before its turn comes again. */
const TASKS = 2_000;
const TIMERS = 400;
/** Behind its bounds, so that a slow beginning is made up for. */
const MORE = 1.01;
const EVENTS_OF_A_TRIGGER = 3;
/** Of so many triggers one is a timer's. */
const TIMER_EVERY = 10;
/** Calls that wait for a connection would wait for each other; so many are never under way. */
const CONNECTIONS = 256;

const poolTo = (url: string): Pool => new Pool(url, { connections: CONNECTIONS, pipelining: 1 });

export type Called = {
  /** Executions that were acknowledged, and timers that were. */
  executions: string[];
  timers: number;
  /** Answers that were neither, by what they said. */
  others: Map<string, number>;
  /** Of a trigger, from when it was to be sent to its answer. */
  latencyMs: number[];
};

/** A bounded load over HTTP: triggers of tasks with targets, and timers that are due after 2 s, at fixed times. */
export class SoakLoad {
  #pool: Pool;
  readonly #url: string;
  readonly #key: string;
  readonly #called: Called = { executions: [], timers: 0, others: new Map(), latencyMs: [] };
  readonly #server = createServer((request, response) => {
    request.resume();
    request.on('end', () => response.setHeader('content-type', 'application/json').end('{"done":true}'));
  });

  constructor(url: string, key: string) {
    this.#url = url;
    this.#pool = poolTo(url);
    this.#key = key;
  }

  /** Ends every connection, so that what the service holds is its own. */
  async hangUp(): Promise<void> {
    await this.#pool.close();
    this.#pool = poolTo(this.#url);
  }

  async send(method: string, path: string, body?: object, key?: string): Promise<{ status: number; text: string }> {
    const headers = {
      authorization: `Bearer ${this.#key}`,
      'content-type': 'application/json',
      prefer: 'wait=30',
      ...(key && { 'idempotency-key': key }),
    };
    const { statusCode, body: answer } = await this.#pool.request({ method, path, body: body ? JSON.stringify(body) : null, headers });
    return { status: statusCode, text: await answer.text() };
  }

  /** A body as it comes. */
  async lines(path: string): Promise<AsyncIterable<Uint8Array>> {
    const { statusCode, body } = await this.#pool.request({ method: 'GET', path, headers: { authorization: `Bearer ${this.#key}` } });
    if (statusCode !== 200) throw new Error(`${statusCode}: ${await body.text()}`);
    return body;
  }

  async createTasks(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const target = { url: `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/` };
    const schedule = { strategy: 'cron', cron: '0 0 1 1 *' }; // a recurring task can be triggered again and again
    await closedLoop(TASKS + TIMERS, 16, async (i) => {
      const task = i < TASKS ? { taskId: `t${i}`, schedule } : { taskId: `timer${i - TASKS}` };
      const { status, text } = await this.send('POST', '/api/v1/tasks', { ...task, type: 'soak', target });
      if (status !== 201) throw new Error(`${status}: ${text}`);
    });
  }

  /** How many executions have ended; undefined when they can't be counted now. */
  async ended(): Promise<number | undefined> {
    const { status, text } = await this.send('GET', '/api/v1/events?types=TaskCompleted,TaskFailed&pageSize=1');
    if (status === 503) return undefined;
    if (status !== 200) throw new Error(`${status}: ${text}`);
    return JSON.parse(text).data.total;
  }

  /** Makes so many events a minute for so long. */
  async run(eventsPerMinute: number, minutes: number): Promise<Called> {
    const perSecond = (MORE * eventsPerMinute) / 60 / (EVENTS_OF_A_TRIGGER + 1 / TIMER_EVERY);
    this.#called.latencyMs = await openLoop(perSecond, Math.ceil(perSecond * 60 * minutes), (i) => this.#one(i));
    return this.#called;
  }

  async close(): Promise<void> {
    await this.#pool.close();
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #one(i: number): Promise<void> {
    const isTimer = i % TIMER_EVERY === 0;
    const { status, text } = await (isTimer
      ? this.send('PUT', `/api/v1/tasks/timer${(i / TIMER_EVERY) % TIMERS}/reschedule`, { strategy: 'delayed', delay: '2s' }, `call-${i}`)
      : this.send('POST', `/api/v1/tasks/t${i % TASKS}/trigger`, { context: { call: i } }, `call-${i}`)
    ).catch((error: Error) => ({ status: 0, text: JSON.stringify({ code: error.message }) }));
    const { data, code } = JSON.parse(text);
    if (isTimer && status === 200) this.#called.timers++;
    else if (!isTimer && data?.executionId !== undefined) this.#called.executions.push(data.executionId);
    else this.#called.others.set(`${status} ${code}`, 1 + (this.#called.others.get(`${status} ${code}`) ?? 0));
  }
}
