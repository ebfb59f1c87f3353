import type { Child } from '@retrigger/test-faults/child.ts';
import type { Client } from '@retrigger/test-faults/client.ts';
import { startTarget } from '@retrigger/test-faults/target.ts';
import { eventually } from '@retrigger/test-gateway/eventually.ts';
import type { Acknowledged } from '@retrigger/test-history/recorded.ts';
import { Installation, type Place, type Worker } from './installation.ts';
import { Load } from './load.ts';
import { brokenPromises } from './recording.ts';
import { everyPartitionDecides } from './take-over.ts';

/** Batches that a worker must have done to be one of those that work. */
const SOME_BATCHES = 5;
const SOME_COMMANDS = 90;
const WITHIN_MS = 120_000;

/** An installation with a gateway, a dispatcher and two workers, for tests that break a part of it while it is used. */
export class UnderLoad {
  readonly installation: Installation;
  readonly door: Client;
  readonly one: Worker;
  readonly two: Worker;
  readonly dispatcher: Child;
  readonly #target: Awaited<ReturnType<typeof startTarget>>;

  /** `place`: where something happens to the first worker. */
  static async start(place?: Place): Promise<UnderLoad> {
    const installation = await Installation.fresh();
    const target = await startTarget();
    try {
      const workers = [installation.startWorker(place), installation.startWorker()] as const;
      const dispatcher = installation.start('dispatcher');
      const door = await installation.door();
      await Promise.all([...workers, dispatcher].map(({ ready }) => ready));
      await everyPartitionDecides(door, 'start');
      return new UnderLoad(installation, door, workers, dispatcher, target);
    } catch (error) {
      await installation.end();
      await target.stop();
      throw error;
    }
  }

  private constructor(
    installation: Installation,
    door: Client,
    [one, two]: readonly [Worker, Worker],
    dispatcher: Child,
    target: Awaited<ReturnType<typeof startTarget>>,
  ) {
    this.installation = installation;
    this.door = door;
    this.one = one;
    this.two = two;
    this.dispatcher = dispatcher;
    this.#target = target;
  }

  load = (name: string): Load => new Load(name, this.door, this.#target.url);

  /** Waits until each of these workers has done more. */
  async work(...workers: Worker[]): Promise<void> {
    const enough = workers.map((worker) => worker.batches() + SOME_BATCHES);
    await eventually('each does batches', async () => workers.every((worker, i) => worker.batches() >= (enough[i] ?? 0)), WITHIN_MS);
  }

  /** Waits until users were told more. */
  async goesOn({ acknowledged }: Load): Promise<void> {
    const enough = acknowledged.length + SOME_COMMANDS;
    await eventually('commands are acknowledged', async () => acknowledged.length >= enough, WITHIN_MS);
  }

  /** Ends the load, waits for what it left, and looks for broken promises. `more` is what users were told besides. */
  async settle(load: Load, more: Acknowledged[] = []): Promise<string[]> {
    await load.stop();
    const said = { tasks: load.tasks, acknowledged: [...load.acknowledged, ...more], calls: this.#target.calls };
    const broken = await brokenPromises(this.door, said, this.installation.settings.RETRIGGER_KAFKA_PREFIX);
    process.stdout.write(`${load.name}: ${load.acknowledged.length} commands acknowledged${load.repeats()}\n`);
    return broken;
  }

  async end(): Promise<void> {
    await this.installation.end();
    await this.#target.stop();
  }
}
