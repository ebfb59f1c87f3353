import type { Clock } from '@retrigger/ports/clock.ts';
import type { RecordHandler } from '@retrigger/ports/log.ts';
import type { Observer } from '@retrigger/ports/observer.ts';
import kafkajs from 'kafkajs';
import { LONG_RETRIES } from './kafka-client.ts';
import { classifyKafkaError } from './kafka-errors.ts';
import { LeaseBook } from './lease-book.ts';
import { toLogRecord } from './log-record.ts';
import { OffsetCommitter } from './offset-committer.ts';
import { within } from './pause.ts';
import { stickyAssigner } from './sticky-assigner.ts';

export type GroupOptions = {
  clock: Clock;
  observer: Observer;
  handler: RecordHandler;
  /** As the handler knows it, and as Kafka does. */
  topic: { name: string; physical: string };
  group: string;
  /** A member that is not heard of for so long has lost its partitions: the bound of a take-over. The broker must allow it (its default: 6 s to 30 min). */
  sessionTimeoutMs: number;
};

/** How long a running batch may hold up a join, so that it is committed before another member may take its partition. */
const DRAIN_MS = 3_000;
/** A member that does not join again within this is left behind. */
const REBALANCE_TIMEOUT_MS = 10_000;
const FETCH_WAIT_MS = 100;
const DISCONNECT_MS = 5_000;

/** `consuming` fetches · `announced` was told of a rebalance · `joining` asks for its part · `ended` is no member any more. */
type State = 'joining' | 'consuming' | 'announced' | 'ended';

/**
 * One KafkaJS consumer, from its start to its first failure; consumer-watchdog.ts makes the next one.
 * J1: no batch begins and no commit is sent while a join is under way. Before it, running batches may end and commit, for up to 3 s.
 * J2: a partition is kept without being told only across a join that this member made in one try, for then no generation lies between in which it was
 * another's. After any other join everything is revoked first.
 * J3: a join that no rebalance announced (the broker forgot this member, or the metadata was stale) ends the member: KafkaJS joins then
 * while records of the old assignment are still on their way, and could pass over uncommitted ones.
 * J4: a join that failed ends the member: KafkaJS would go on fetching in its old generation, without a word.
 */
export class GroupMember {
  readonly #options: GroupOptions;
  readonly #consumer: kafkajs.Consumer;
  readonly #leases: LeaseBook;
  readonly #committer: OffsetCommitter;
  readonly #ending = new AbortController();
  readonly #gone: Promise<string>;
  #end: (reason: string) => void = () => undefined;
  #send: kafkajs.EachBatchPayload['commitOffsetsIfNecessary'] | undefined;
  #state: State = 'joining';
  #contiguous = false;
  consumed = false;
  /** Counts what shows that the consumer lives: fetches and joins. */
  progress = 0;

  constructor(kafka: kafkajs.Kafka, options: GroupOptions) {
    const { clock, observer, handler, topic } = options;
    this.#options = options;
    this.#gone = new Promise((resolve) => (this.#end = resolve));
    const send = async (partitions: { partition: number; offset: string }[]) =>
      this.#send?.({ topics: [{ topic: topic.physical, partitions }] });
    this.#committer = new OffsetCommitter(send, clock, observer, this.#ending.signal);
    this.#leases = new LeaseBook({
      clock,
      observer,
      handler,
      throttle: (partition, paused) => this.#throttle(partition, paused),
      commit: (lease, next) => this.#committer.commit(lease, next),
    });
    this.#consumer = kafka.consumer({
      groupId: options.group,
      allowAutoTopicCreation: false,
      sessionTimeout: options.sessionTimeoutMs,
      heartbeatInterval: Math.round(options.sessionTimeoutMs / 8),
      rebalanceTimeout: REBALANCE_TIMEOUT_MS,
      maxWaitTimeInMs: FETCH_WAIT_MS,
      maxBytesPerPartition: 512 * 1024,
      maxBytes: 8 * 1024 * 1024,
      // One way to come back after a failure, not two: the watchdog's.
      retry: { ...LONG_RETRIES, restartOnFailure: async () => false },
      partitionAssigners: [
        stickyAssigner(
          () => this.#leases.partitions(),
          () => this.#beforeJoin(),
        ),
      ],
    });
    this.#listen();
  }

  get consuming(): boolean {
    return this.#state === 'consuming';
  }

  /** Runs until the member has ended by itself, and everything was revoked; resolves with why. */
  async run(predecessors: Map<number, Promise<void>>): Promise<string> {
    const { physical } = this.#options.topic;
    this.#leases.follow(predecessors);
    this.#start(physical).catch((error: unknown) => this.#end(classifyKafkaError(error).message));
    const reason = await this.#gone;
    this.#close();
    await Promise.all([this.#leases.endAll(), this.#disconnect()]);
    return reason;
  }

  async #start(topic: string): Promise<void> {
    await this.#consumer.connect();
    await this.#consumer.subscribe({ topics: [topic], fromBeginning: true });
    await this.#consumer.run({ autoCommit: false, eachBatch: (payload) => this.#fetched(payload) });
  }

  /** Ends the member although KafkaJS has not said that it failed. */
  abandon(reason: string): void {
    this.#end(reason);
  }

  /** Waits for the running batches, revokes everything while commits still count, and leaves the group. */
  async stop(): Promise<void> {
    this.#leases.close();
    this.#committer.giveUp();
    await this.#leases.idle();
    await this.#leases.giveBack();
    this.#end('stopped');
  }

  #close(): void {
    this.#state = 'ended';
    this.#ending.abort();
  }

  /** Ends the member from inside KafkaJS's own calls: nothing of it counts any more. */
  #lose(reason: string): void {
    this.#close();
    this.#leases.hold();
    this.#end(reason);
  }

  async #disconnect(): Promise<void> {
    const left = await within(this.#options.clock, DISCONNECT_MS, this.#consumer.disconnect());
    if (!left)
      this.#options.observer.log('warn', 'a consumer did not disconnect in time; it is left behind', { group: this.#options.group });
  }

  #listen(): void {
    const { events, on } = this.#consumer;
    on(events.FETCH, () => {
      this.progress++;
    });
    on(events.FETCH_START, () => {
      if (this.#state === 'announced' || (this.#state === 'joining' && this.consumed)) this.#lose('a join failed'); // J4
    });
    on(events.REBALANCING, () => {
      if (this.#state === 'consuming') this.#state = 'announced';
      this.#committer.hurry();
      this.#leases.hold(); // J1
    });
    on(events.GROUP_JOIN, ({ payload }) => this.#joined(payload.memberAssignment[this.#options.topic.physical] ?? []));
    on(events.CRASH, ({ payload }) => this.#end(`${payload.error.name}: ${payload.error.message}`));
  }

  /** Called before every join. */
  async #beforeJoin(): Promise<void> {
    this.progress++;
    if (this.#state === 'ended') throw new kafkajs.KafkaJSNonRetriableError('this member has ended');
    if (this.#state === 'consuming') {
      this.#lose('the group no longer knows this member, or the topic moved'); // J3
      throw new kafkajs.KafkaJSNonRetriableError('this member has ended');
    }
    this.#contiguous = this.#state === 'announced'; // J2
    if (this.#state === 'announced') await within(this.#options.clock, DRAIN_MS, this.#leases.idle()); // J1
    if (this.#state === 'announced') this.#state = 'joining';
    this.#committer.block(true); // J1
  }

  /** KafkaJS calls this before it fetches again. */
  #joined(partitions: number[]): void {
    if (this.#state === 'ended') return;
    this.progress++;
    this.#state = 'consuming';
    this.consumed = true;
    this.#leases.replace(partitions, this.#contiguous);
    this.#committer.block(false);
    this.#leases.release();
  }

  async #fetched({ batch, commitOffsetsIfNecessary }: kafkajs.EachBatchPayload): Promise<void> {
    this.#send = commitOffsetsIfNecessary;
    const { name } = this.#options.topic;
    const records = batch.messages.map((message) => toLogRecord(name, batch.partition, message));
    this.#leases.get(batch.partition)?.offer(records, Number(batch.highWatermark));
  }

  #throttle(partition: number, paused: boolean): void {
    if (this.#state === 'ended') return;
    const which = [{ topic: this.#options.topic.physical, partitions: [partition] }];
    if (paused) this.#consumer.pause(which);
    else this.#consumer.resume(which);
  }
}
