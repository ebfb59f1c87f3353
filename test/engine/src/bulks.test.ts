import type { BulkState } from '@retrigger/domain/bulk/state.ts';
import type { Command } from '@retrigger/domain/command.ts';
import type { Event } from '@retrigger/domain/event.ts';
import { bulkName, deriveBulkId, isBulkName, partsOfKey } from '@retrigger/domain/identifiers.ts';
import { type LogRecord, TOPICS } from '@retrigger/ports/log.ts';
import { allOrNone, bulksHaveEnded, reservedTasksStandStill } from '@retrigger/test-history/bulk-checkers.ts';
import { violations } from '@retrigger/test-history/checkers.ts';
import { describe, expect, test } from 'vitest';
import { FakeStores } from './fake-stores.ts';
import { command, inLog, Owner, type Sent } from './owner.ts';

const TASKS = ['a', 'b', 'c'];
const create = (taskId: string) => command(`create-${taskId}`, taskId, { type: 'CreateTask', body: { type: 'job' } });
const trigger = (taskId: string) => command(`trigger-${taskId}`, taskId, { type: 'TriggerTask', body: {} });

const bulk = (commandId: string, taskIds: string[], allOrNothing: boolean): Sent => ({
  ...command(commandId, bulkName(deriveBulkId(commandId)), { type: 'Check', body: {} }),
  type: 'BulkTrigger',
  body: { tasks: taskIds.map((taskId) => ({ taskId })), allOrNothing },
});

class Died extends Error {}

/** A partition's log with one owner after the other: what an owner sends is appended behind, and what was not committed comes again to the next. */
class Line {
  readonly stores = new FakeStores();
  readonly records: LogRecord[] = [];
  readonly owners: Owner[] = [];
  calls = 0;
  #diesAt = 0;
  #settled = 0;

  append(...commands: Command[]): this {
    this.records.push(...inLog(commands, this.records.length));
    return this;
  }

  #start(): Owner {
    const owner = new Owner(this.stores, async () => {
      if (++this.calls === this.#diesAt) throw new Died();
    });
    this.owners.push(owner);
    return owner;
  }

  /** Decides everything, some records at a time; whoever owns the line dies at the `diesAt`th call of a store or of the log. */
  async settle(atOnce: number, diesAt = 0): Promise<this> {
    this.#diesAt = diesAt;
    this.calls = 0;
    let owner = this.#start();
    for (let next = this.#settled; next < this.records.length; ) {
      const sent = owner.followUps().length;
      const batch = this.records.slice(next, next + atOnce);
      try {
        await owner.take(batch);
        next += batch.length;
      } catch (error) {
        if (!(error instanceof Died)) throw error;
        this.append(...owner.followUps().slice(sent));
        owner = this.#start();
        continue;
      }
      this.append(...owner.followUps().slice(sent));
      this.#settled = next;
    }
    return this;
  }

  bulk = (commandId: string): BulkState => this.stores.snapshots.get(`acme/${bulkName(deriveBulkId(commandId))}`)?.state as BulkState;

  /** What the checkers say. */
  wrong(): string[] {
    const isOfBulk = (key: string) => isBulkName(partsOfKey(key).taskId);
    const streams = new Map<string, Event[]>();
    for (const [key, stream] of this.stores.streams)
      if (!isOfBulk(key))
        streams.set(
          key,
          stream.map(({ event }) => event),
        );
    const all = [...this.stores.snapshots].map(([key, { state }]) => [key, state] as const);
    const states = new Map(all.filter(([key]) => !isOfBulk(key)));
    const bulks = new Map(all.filter(([key]) => isOfBulk(key)) as [string, BulkState][]);
    const recorded = { streams, states, acknowledged: [], calls: [] };
    return [
      ...violations(recorded),
      ...allOrNone(recorded, bulks),
      ...bulksHaveEnded(recorded, bulks),
      ...reservedTasksStandStill(recorded),
    ];
  }

  outcome(commandId: string) {
    return this.stores.receipts.get(commandId)?.outcome;
  }
}

/** The tasks are there before anything else happens. */
const scene = async (...more: Command[]) => (await new Line().append(...TASKS.map(create)).settle(10)).append(...more);

/** Two that overlap, one of them with a task that can't, and single calls between. */
const fire = (allOrNothing: boolean) =>
  scene(
    bulk('x', ['a', 'b'], allOrNothing),
    trigger('c'),
    bulk('y', ['c', 'b'], allOrNothing),
    bulk('x', ['a', 'b'], allOrNothing),
    bulk('z', ['nobody', 'a'], allOrNothing),
  );

describe('bulks in the log', () => {
  test.each([true, false])('leave a receipt each, and their events are nobody else’s (allOrNothing: %s)', async (allOrNothing) => {
    const line = await (await fire(allOrNothing)).settle(3);
    expect(line.wrong()).toEqual([]);
    expect(['x', 'y', 'z'].map((id) => line.outcome(id)?.kind)).toEqual(
      allOrNothing ? ['accepted', 'refused', 'refused'] : ['accepted', 'accepted', 'accepted'],
    );
    const told = line.owners.flatMap(({ appended }) => appended.filter(({ topic }) => topic === TOPICS.events));
    expect(told.filter(({ record }) => isBulkName(partsOfKey(record.key).taskId))).toEqual([]);
    expect(told.length).toBeGreaterThan(5);
  });

  test('what the tasks of one batch say to a bulk is one message', async () => {
    const line = await (await scene(bulk('x', TASKS, true))).settle(100);
    const messages = line.records.map((record) => JSON.parse(Buffer.from(record.value).toString()) as Command);
    expect(messages.filter(({ type }) => type === 'GatherResults')).toHaveLength(2);
  });

  test.each([
    [true, 1],
    [true, 4],
    [true, 100],
    [false, 1],
    [false, 100],
  ])(
    'whoever decides them may die at any call: the same outcomes, and nothing half done (allOrNothing: %s, %i at a time)',
    async (allOrNothing, atOnce) => {
      const clean = await (await fire(allOrNothing)).settle(atOnce);
      const outcomes = ['x', 'y', 'z'].map((id) => clean.outcome(id)?.kind);
      for (let call = 1; call <= clean.calls; call++) {
        const line = await (await fire(allOrNothing)).settle(atOnce, call);
        expect([call, line.wrong()]).toEqual([call, []]);
        expect([call, ...['x', 'y', 'z'].map((id) => line.outcome(id)?.kind)]).toEqual([call, ...outcomes]);
      }
    },
  );

  test('everything again to another owner adds nothing', async () => {
    const line = await (await fire(true)).settle(2);
    const before = new Map([...line.stores.streams].map(([key, stream]) => [key, stream.length]));
    const other = new Owner(line.stores);
    for (let from = 0; from < line.records.length; from += 5) await other.take(line.records.slice(from, from + 5));
    expect(new Map([...line.stores.streams].map(([key, stream]) => [key, stream.length]))).toEqual(before);
    expect(line.wrong()).toEqual([]);
  });
});
