import { setTimeout as pause } from 'node:timers/promises';
import { sealedUnder } from '@retrigger/domain/privacy/sealed-value.ts';
import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs';
import type { Client } from './client.ts';
import type { Source } from './executor.ts';
import { NewestPerTask } from './newest-per-task.ts';
import { ProblemError } from './outcome.ts';
import type { DecodeEvent } from './registry-events.ts';
import type { Execution, TaskEvent } from './types.ts';

export type KafkaExecutionsOptions = {
  kafka: Kafka;
  client: Client;
  /** The types of the executor that takes from here. */
  types: string[];
  /** All processes of one executor share a group; each execution goes to one of them. */
  groupId: string;
  decode: DecodeEvent;
  /** `retrigger.events`, with the installation's prefix. */
  topic?: string;
};

/** How often a member that waits for room says that it is alive. */
const ALIVE_EVERY_MS = 1_000;
const JOIN_AGAIN_AFTER_MS = 1_000;
/** Partitions that may wait for room beside each other. */
const MOST_PARTITIONS = 16;

type Triggered = { executionId: string; runId: string; attempt: number; type?: string; hasTarget?: boolean; context: Execution['context'] };
type Due = { event: TaskEvent; triggered: Triggered; type: string };
/** An executor that has room. Once it is reserved it waits for what it is given, also when it stops meanwhile. */
type Taker = { isReserved: boolean; give(execution: Execution): void; release(): void };

/**
 * Executions from the events topic, in a consumer group of its own.
 * K1: a record waits in Kafka until there is room for it, so nothing piles up here. K2: an execution is run by whoever's `started` is taken first; when that was
 * somebody else, or it has ended, it is left alone. K3: an offset is committed once its execution is started: from then on the heartbeat time-out watches
 * over it, and a record that moves to another member of the group is not run beside it. K4: what a sensitive task holds is sealed on the topic; its executions
 * are left to those who claim over HTTP.
 */
export async function kafkaExecutions(options: KafkaExecutionsOptions): Promise<Source> {
  const { kafka, client, types, groupId, decode, topic = 'retrigger.events' } = options;
  const takers = new Map<string, Taker>();
  const newest = new NewestPerTask();
  const stopping = new AbortController();
  let arrival = Promise.withResolvers<void>();

  /** The event as something to run; undefined when it is nothing for this executor. */
  function wanted(event: TaskEvent): Due | undefined {
    if (event.eventType !== 'TaskTriggered') return undefined;
    const triggered = event.metadata as Triggered;
    const { type, hasTarget, context } = triggered;
    const isOurs = type !== undefined && types.includes(type) && hasTarget === false && sealedUnder(context) === undefined;
    return isOurs ? { event, triggered, type } : undefined;
  }

  /** Resolves with whoever has room, reserved; undefined when the record must be left to others. */
  async function takerOf(type: string, payload: EachBatchPayload): Promise<Taker | undefined> {
    while (mayGoOn(payload)) {
      const taker = takers.get(type);
      if (taker !== undefined) {
        takers.delete(type);
        taker.isReserved = true;
        return taker;
      }
      await Promise.race([arrival.promise, pause(ALIVE_EVERY_MS)]);
      await payload.heartbeat();
    }
    return undefined;
  }

  const mayGoOn = (payload: EachBatchPayload): boolean => !stopping.signal.aborted && payload.isRunning() && !payload.isStale();

  async function handle(payload: EachBatchPayload): Promise<void> {
    for (const { value, offset } of payload.batch.messages) {
      if (!mayGoOn(payload)) return;
      const event = value === null ? undefined : await decode(value);
      const due = event !== undefined && newest.isNew(event) ? wanted(event) : undefined;
      if (due !== undefined) {
        const taker = await takerOf(due.type, payload); // K1
        if (taker === undefined) return;
        await start(due, taker);
      }
      if (event !== undefined) newest.handled(event);
      payload.resolveOffset(offset);
      if (due !== undefined) await payload.commitOffsetsIfNecessary(payload.uncommittedOffsets()); // K3
      await payload.heartbeat();
    }
  }

  /** K2. Throws when nobody can say whose it is: the record comes again. */
  async function start({ event, triggered, type }: Due, taker: Taker): Promise<void> {
    const { executionId, runId, attempt, context } = triggered;
    const outcome = await client.started(executionId);
    if (outcome.ok) return taker.give({ executionId, runId, attempt, context, type, taskId: event.taskId, ...outcome.data });
    taker.release();
    if (outcome.problem.status !== 404 && outcome.problem.status !== 409) throw new ProblemError(outcome.problem);
  }

  async function join(): Promise<Consumer> {
    const joined = kafka.consumer({ groupId });
    await joined.connect();
    await joined.subscribe({ topic, fromBeginning: true });
    await joined.run({ eachBatch: handle, eachBatchAutoResolve: false, partitionsConsumedConcurrently: MOST_PARTITIONS });
    joined.on(joined.events.CRASH, ({ payload }) => {
      if (!payload.restart) void joinAgain(); // KafkaJS gives up on what it calls not retriable
    });
    return joined;
  }

  async function joinAgain(): Promise<void> {
    while (!stopping.signal.aborted) {
      await pause(JOIN_AGAIN_AFTER_MS, undefined, { signal: stopping.signal }).catch(() => {});
      const joined = stopping.signal.aborted ? undefined : await join().catch(() => undefined);
      if (joined === undefined) continue;
      consumer = joined;
      return stopping.signal.aborted ? joined.disconnect() : undefined;
    }
  }

  let consumer = await join();

  return {
    take(type, _room, ending) {
      return new Promise((resolve) => {
        const leave = () => {
          if (taker.isReserved) return;
          if (takers.get(type) === taker) takers.delete(type);
          resolve([]);
        };
        const offer = () => {
          takers.set(type, taker);
          arrival.resolve();
          arrival = Promise.withResolvers();
        };
        const taker: Taker = {
          isReserved: false,
          give(execution) {
            ending.removeEventListener('abort', leave);
            resolve([execution]);
          },
          release() {
            taker.isReserved = false;
            if (ending.aborted) leave();
            else offer();
          },
        };
        if (ending.aborted) return leave();
        ending.addEventListener('abort', leave, { once: true });
        offer();
      });
    },
    async close() {
      stopping.abort();
      arrival.resolve();
      await consumer.disconnect();
    },
  };
}
