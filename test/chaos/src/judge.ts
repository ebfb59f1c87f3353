import { openSchemaRegistry } from '@retrigger/contract/schema-registry.ts';
import type { Event } from '@retrigger/domain/event.ts';
import { TOPICS } from '@retrigger/ports/log.ts';
import { PARTITIONS } from '@retrigger/test-cluster/installation.ts';
import { logOptions, openLog, recorder as reading } from '@retrigger/test-cluster/open-log.ts';
import { eventually } from '@retrigger/test-gateway/eventually.ts';
import { heardWhatIsStored, newestSeesAll } from '@retrigger/test-history/effect-checkers.ts';
import type { Recorded, Violation } from '@retrigger/test-history/recorded.ts';
import { everyEventWasTold } from '@retrigger/test-history/telling-checkers.ts';
import { judgeHistories } from './histories.ts';
import type { Outside } from './outside.ts';
import { forEach, type Reader } from './reader.ts';
import type { Recorder } from './recorder.ts';
import type { System } from './system.ts';

/** Reads the topic on from where it ended the last time. */
const READER_GROUP = 'chaos';
/** So many tasks are asked for by those whose they are not. */
const STRANGERS = 50;

/** The histories, and besides what stands on the events topic, what subscribers heard, and what strangers are told. */
export async function judge(
  system: System,
  seen: Recorder,
  reader: Reader,
  outside: Outside,
): Promise<{ wrong: Violation[]; events: number }> {
  const { wrong, recorded } = await judgeHistories(seen, reader);
  const { streams } = recorded;
  const told = (await newOnTopic(system)).filter(({ tenantId, taskId }) => streams.has(`${tenantId}/${taskId}`));
  wrong.push(
    ...everyEventWasTold(
      recorded,
      told.map((event) => JSON.stringify(event)),
    ),
    ...newestSeesAll(recorded, told, 'the events topic'),
    ...(await newsAreRight(recorded, reader, outside)),
    ...(await strangersAreSent(seen, reader, [...outside.news.keys()])),
  );
  return { wrong, events: [...streams.values()].reduce((sum, { length }) => sum + length, 0) };
}

/** Each subscriber has heard of everything of its own tenant, in order, and of nothing else; nothing was given up. */
async function newsAreRight({ streams, ...rest }: Recorded, reader: Reader, { news }: Outside): Promise<Violation[]> {
  const wrong: Violation[] = [];
  for (const [tenant, heard] of news) {
    const own = new Map([...streams].filter(([key]) => key.startsWith(`${tenant}/`)));
    wrong.push(...newestSeesAll({ ...rest, streams: own }, heard, `what ${tenant}'s subscriber heard`));
    wrong.push(...heardWhatIsStored({ ...rest, streams }, tenant, heard));
    const letters = await reader.deadLetters(tenant);
    wrong.push(...letters.map((letter) => `${tenant} has a dead letter: ${JSON.stringify(letter)}`));
  }
  return wrong;
}

/** A task of another tenant is no task. */
async function strangersAreSent({ tasks }: Recorder, reader: Reader, tenants: string[]): Promise<Violation[]> {
  const wrong: Violation[] = [];
  await forEach([...tasks.keys()].slice(0, STRANGERS), async (key) => {
    const [owner, taskId = ''] = key.split('/');
    for (const tenant of tenants) {
      if (tenant === owner || tasks.has(`${tenant}/${taskId}`)) continue;
      const status = await reader.statusFor(tenant, taskId);
      if (status !== 404) wrong.push(`${tenant} asked for ${key} and was told ${status}`);
    }
  });
  return wrong;
}

/** What has come onto the events topic since the last time, in the order of its partitions. */
async function newOnTopic({ settings }: System): Promise<Event[]> {
  const log = await openLog(await logOptions({ [TOPICS.events]: PARTITIONS }, { prefix: settings.RETRIGGER_KAFKA_PREFIX }));
  try {
    const handler = reading();
    const consumer = await log.consume(TOPICS.events, READER_GROUP, handler);
    const hasAll = async () => handler.owned.size === PARTITIONS && (await log.lag(TOPICS.events, READER_GROUP)) === 0;
    await eventually('the events topic is read', hasAll, 120_000);
    await consumer.stop();
    const registry = await openSchemaRegistry({ url: settings.RETRIGGER_SCHEMA_REGISTRY_URL ?? '', login: null });
    if (registry.kind !== 'open') throw new Error(registry.message);
    const { decode } = registry.avro.events;
    return await Promise.all(
      handler.records.map(async ({ value, offset }) => {
        const read = await decode(value);
        if (read.kind !== 'event') throw new Error(`offset ${offset} of the events topic: ${read.reason}`);
        return read.event;
      }),
    );
  } finally {
    await log.close();
  }
}
