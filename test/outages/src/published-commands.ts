import type { Event } from '@retrigger/domain/event.ts';
import { publish } from '@retrigger/test-cluster-faults/published.ts';
import { eventually } from '@retrigger/test-gateway/eventually.ts';
import { PUBLISHED } from './operations.ts';
import { BACK_WITHIN_MS, LONGEST_ANSWER_MS, type Part, statedFor } from './stated.ts';
import type { World } from './world.ts';

type Row = keyof typeof PUBLISHED;
type Tasks = Record<Row, { taskId: string; event: string }>;

const rows = Object.keys(PUBLISHED) as Row[];

/** Two commands of one round that come by Kafka: one that costs nothing, and one that is charged. */
export class Published {
  readonly #world: World;
  readonly #tasks: Tasks;
  #areSent = false;

  static async prepare(world: World, round: string): Promise<Published> {
    const tasks = {
      'retrigger.commands': { taskId: `${round}-sent`, event: 'TaskCreated' },
      'retrigger.commands TriggerTask': { taskId: `${round}-sent-trigger`, event: 'TaskTriggered' },
    };
    const { taskId } = tasks['retrigger.commands TriggerTask'];
    await world.caller.data('POST', '/api/v1/tasks', { taskId, type: 'job' });
    return new Published(world, tasks);
  }

  private constructor(world: World, tasks: Tasks) {
    this.#world = world;
    this.#tasks = tasks;
  }

  /** Publishes both, where there is a Kafka to publish to. */
  async send(part: Part): Promise<void> {
    if (rows.every((row) => statedFor(PUBLISHED[row], part) === 'impossible')) return;
    const [{ taskId: made }, { taskId: triggered }] = [this.#tasks['retrigger.commands'], this.#tasks['retrigger.commands TriggerTask']];
    await publish(this.#world.installation.settings, [
      [`default/${made}`, { commandId: made, type: 'CreateTask', taskId: made, body: { type: 'job' } }],
      [`default/${triggered}`, { commandId: triggered, type: 'TriggerTask', taskId: triggered, body: {} }],
    ]);
    this.#areSent = true;
  }

  /** While the part is away: what goes on as usual is carried out, and what waits is not. */
  async meanwhile(part: Part): Promise<string[]> {
    const stated = rows.map((row) => ({ row, answer: statedFor(PUBLISHED[row], part) }));
    const usual = stated.filter(({ answer }) => answer === 'usual' && part !== 'workers').map(({ row }) => row);
    const late = await this.#notDone(usual, LONGEST_ANSWER_MS);
    if (part === 'mongodb') return late; // nobody can be asked
    const early = await Promise.all(
      stated
        .filter(({ answer }) => answer === 'waits')
        .map(async ({ row }) => ((await this.#count(row)) === 0 ? [] : [`${row}: it did not wait`])),
    );
    return [...late, ...early.flat()];
  }

  /** Both are carried out, once. */
  afterwards = async (): Promise<string[]> => (this.#areSent ? this.#notDone(rows, BACK_WITHIN_MS) : []);

  async #notDone(wanted: Row[], withinMs: number): Promise<string[]> {
    const found = await Promise.all(
      wanted.map(async (row) => {
        await eventually(`${row} is done`, async () => (await this.#count(row)) > 0, withinMs).catch(() => {});
        const count = await this.#count(row);
        return count === 1 ? [] : [`${row}: done ${count} times`];
      }),
    );
    return found.flat();
  }

  async #count(row: Row): Promise<number> {
    const { taskId, event } = this.#tasks[row];
    const { status, text } = await this.#world.caller.ask({ method: 'GET', path: `/api/v1/tasks/${taskId}/events` });
    if (status === 404) return 0;
    if (status !== 200) throw new Error(`${row}: ${status} ${text}`);
    return (JSON.parse(text).data.events as Event[]).filter(({ eventType }) => eventType === event).length;
  }
}
