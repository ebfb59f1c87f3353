import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { openSchemaRegistry } from '@retrigger/contract/schema-registry.ts';
import type { Event } from '@retrigger/domain/event.ts';
import { taskView } from '@retrigger/domain/task/view.ts';
import { TOPICS } from '@retrigger/ports/log.ts';
import { PARTITIONS } from '@retrigger/test-cluster/installation.ts';
import { logOptions, openLog, recorder } from '@retrigger/test-cluster/open-log.ts';
import { addresses } from '@retrigger/test-cluster/servers.ts';
import type { Client } from '@retrigger/test-faults/client.ts';
import { eventually } from '@retrigger/test-gateway/eventually.ts';
import { fold, triggersWereCalled, violations } from '@retrigger/test-history/checkers.ts';
import type { Acknowledged, Call, Recorded, Violation } from '@retrigger/test-history/recorded.ts';
import { everyEventWasTold } from '@retrigger/test-history/telling-checkers.ts';

const AT_ONCE = 8;
const COMPLETED_WITHIN_MS = 120_000;

/** What users know of their tasks, all of which were triggered and have a target. */
export type Said = { tasks: string[]; acknowledged: Acknowledged[]; calls: Call[] };

/** Everything that is broken of what users were told, the API shows, targets were called for and the events topic holds. */
export async function brokenPromises(door: Client, { tasks, acknowledged, calls }: Said, kafkaPrefix: string): Promise<Violation[]> {
  const streams = new Map<string, Event[]>();
  const otherViews: Violation[] = [];
  const left = [...tasks];
  const read = async () => {
    for (let taskId = left.pop(); taskId !== undefined; taskId = left.pop()) {
      const id = taskId;
      const events = await completed(door, id);
      streams.set(`default/${id}`, events);
      otherViews.push(...(await viewIsFold(door, id, events)));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, read));
  const recorded: Recorded = { streams, states: new Map(), acknowledged, calls: calls.filter(({ key }) => streams.has(key)) };
  const told = (await eventsTopic(kafkaPrefix)).filter(({ taskId }) => streams.has(`default/${taskId}`));
  return [
    ...violations(recorded),
    ...triggersWereCalled(recorded),
    ...otherViews,
    ...everyEventWasTold(
      recorded,
      told.map((event) => JSON.stringify(event)),
    ),
  ];
}

/** The events of a task, once it is Completed. @throws with what became of it instead. */
async function completed(door: Client, taskId: string): Promise<Event[]> {
  try {
    await eventually('it is Completed', async () => (await door.task(taskId)).status === 'Completed', COMPLETED_WITHIN_MS);
  } catch {
    throw new Error(
      `${taskId} is not Completed after ${COMPLETED_WITHIN_MS} ms: ${JSON.stringify([await door.task(taskId), await door.events(taskId)])}`,
    );
  }
  return door.events(taskId);
}

/** The task as the API shows it is what its events make. */
async function viewIsFold(door: Client, taskId: string, events: Event[]): Promise<Violation[]> {
  const state = fold(events);
  const shown = await door.task(taskId);
  const made = state === undefined ? undefined : taskView(state);
  return isDeepStrictEqual(made, shown) ? [] : [`${taskId} is shown as ${JSON.stringify(shown)}, its events make ${JSON.stringify(made)}`];
}

/** Every event on the events topic, in the order of its partition, decoded through the registry. */
export async function eventsTopic(kafkaPrefix: string): Promise<Event[]> {
  const group = `test.${randomUUID()}`;
  const log = await openLog(await logOptions({ [TOPICS.events]: PARTITIONS }, { prefix: kafkaPrefix }));
  try {
    const handler = recorder();
    await log.consume(TOPICS.events, group, handler);
    await eventually(
      'the events topic is read',
      async () => handler.owned.size === PARTITIONS && (await log.lag(TOPICS.events, group)) === 0,
    );
    const registry = await openSchemaRegistry({ url: await registryUrl(), login: null });
    if (registry.kind !== 'open') throw new Error(registry.message);
    const { decode } = registry.avro.events;
    return await Promise.all(
      handler.records.map(async ({ value, offset }) => {
        const read = await decode(value);
        if (read.kind !== 'event') throw new Error(`offset ${offset}: ${read.reason}`);
        return read.event;
      }),
    );
  } finally {
    await log.close();
  }
}

const registryUrl = async (): Promise<string> => (await addresses()).get('RETRIGGER_SCHEMA_REGISTRY_URL') ?? '';
