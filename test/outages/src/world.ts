import { mendTimers } from '@retrigger/kafka/kafkajs-timers.ts';
import { startReceiver } from '@retrigger/test-acceptance/receiver.ts';
import { API_KEY, freePorts } from '@retrigger/test-cluster/installation.ts';
import { Installation } from '@retrigger/test-cluster-faults/installation.ts';
import { everyPartitionDecides } from '@retrigger/test-cluster-faults/take-over.ts';
import { type Child, kill } from '@retrigger/test-faults/child.ts';
import { Client } from '@retrigger/test-faults/client.ts';
import { eventually } from '@retrigger/test-gateway/eventually.ts';
import { Kafka, logLevel } from 'kafkajs';
import { Caller } from './asking.ts';
import { downIn } from './judge.ts';
import { BACK_WITHIN_MS } from './stated.ts';

const BEHIND = ['worker', 'dispatcher', 'notifier'] as const;
export type Behind = (typeof BEHIND)[number];

/** Who probes readiness does not wait for ever. */
const PROBED_WITHIN_MS = 4_500;

/** Limits that are on, and that nobody reaches. */
const FAR_LIMITS = {
  RETRIGGER_LIMIT_USER_PER_HOUR: '1000000',
  RETRIGGER_LIMIT_TASK_PER_HOUR: '1000000',
  RETRIGGER_LIMIT_SYSTEM_PER_MINUTE: '1000000',
};

/** An installation with one process of each service, which live through all outages that are not their own. */
export class World {
  readonly installation: Installation;
  readonly caller: Caller;
  readonly door: Client;
  readonly receiver: Awaited<ReturnType<typeof startReceiver>>;
  readonly #healthPort: number;
  readonly #behind = new Map<Behind, Child>();

  static async start(): Promise<World> {
    const installation = await Installation.fresh(FAR_LIMITS);
    const [receiver, healthPort] = await Promise.all([startReceiver(), freePorts(BEHIND.length)]);
    const gateway = installation.start('gateway');
    const world = new World(installation, await gateway.ready, receiver, healthPort);
    await Promise.all(BEHIND.map((service) => world.startAgain(service)));
    await world.isWell('start');
    return world;
  }

  private constructor(installation: Installation, url: string, receiver: World['receiver'], healthPort: number) {
    this.installation = installation;
    this.caller = new Caller(url, API_KEY);
    this.door = new Client(url, API_KEY);
    this.receiver = receiver;
    this.#healthPort = healthPort;
  }

  async startAgain(service: Behind): Promise<void> {
    const child = this.installation.start(service, { RETRIGGER_HEALTH_PORT: String(this.#portOf(service)) });
    this.#behind.set(service, child);
    await child.ready;
  }

  /** By SIGKILL. */
  async kill(service: Behind): Promise<void> {
    const child = this.#behind.get(service);
    if (child === undefined) throw new Error(`no ${service} runs`);
    await kill(child);
    this.installation.children.splice(this.installation.children.indexOf(child), 1);
  }

  /** What each process's `/readyz` says is down; a process that has gone says nothing. */
  async down(): Promise<{ [process: string]: string[] }> {
    const urls = { gateway: this.caller.url, ...Object.fromEntries(BEHIND.map((one) => [one, `http://127.0.0.1:${this.#portOf(one)}`])) };
    const asked = Object.entries(urls).map(async ([name, url]) => {
      const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(PROBED_WITHIN_MS) }).catch(() => null);
      return [name, response === null ? ['does not answer'] : downIn(await response.text())] as const;
    });
    return Object.fromEntries(await Promise.all(asked));
  }

  /** Waits until nothing is down anywhere and every partition decides; returns how many milliseconds that took. `round` tells one call from another. */
  async isWell(round: string): Promise<number> {
    const begun = performance.now();
    let last = '';
    const nothingIsDown = async () => {
      last = JSON.stringify(await this.down());
      return Object.values(JSON.parse(last) as { [process: string]: string[] }).every((down) => down.length === 0);
    };
    await eventually('nothing is down', nothingIsDown, BACK_WITHIN_MS).catch((error: unknown) => {
      throw new Error(`${error}; the last was ${last}`);
    });
    await everyPartitionDecides(this.door, `well-${round}`);
    return Math.round(performance.now() - begun);
  }

  /** Makes two dead letters, by records of the work log that nobody can read; returns their ids. */
  async makeLetters(round: string): Promise<[string, string]> {
    const { RETRIGGER_KAFKA_BROKERS = '', RETRIGGER_KAFKA_PREFIX: prefix } = this.installation.settings;
    mendTimers(Date.now);
    const producer = new Kafka({ brokers: RETRIGGER_KAFKA_BROKERS.split(','), logLevel: logLevel.NOTHING }).producer();
    await producer.connect();
    const tasks = [`${round}-unread1`, `${round}-unread2`];
    await producer.send({
      topic: `${prefix}retrigger.work`,
      messages: tasks.map((task) => ({ key: `default/${task}`, value: 'no command' })),
    });
    await producer.disconnect();
    const found = new Map<string, string>();
    await eventually('both are dead letters', async () => {
      const page = await this.caller.data<{ deadLetters: { id: string; taskId?: string }[] }>('GET', '/api/v1/dead-letters?pageSize=1000');
      for (const { id, taskId = '' } of page.deadLetters) found.set(taskId, id);
      return tasks.every((task) => found.has(task));
    });
    return [found.get(tasks[0] ?? '') ?? '', found.get(tasks[1] ?? '') ?? ''];
  }

  async end(): Promise<void> {
    await this.installation.end();
    await this.receiver.stop();
  }

  #portOf = (service: Behind): number => this.#healthPort + BEHIND.indexOf(service);
}
