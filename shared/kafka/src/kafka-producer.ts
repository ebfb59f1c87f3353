import type { Clock } from '@retrigger/ports/clock.ts';
import { MOST_RECORD_BYTES, type NewRecord } from '@retrigger/ports/log.ts';
import type { Observer } from '@retrigger/ports/observer.ts';
import type { Reached } from '@retrigger/ports/reached.ts';
import type { Kafka, Message, Producer } from 'kafkajs';
import { SHORT_RETRIES } from './kafka-client.ts';
import { classifyKafkaError, KafkaError } from './kafka-errors.ts';
import { backoffMs, pause } from './pause.ts';
import { type LaneBatch, type PendingAppend, RecordLanes } from './record-lanes.ts';

/** A micro-batch ends here. */
const BATCH_BYTES = 512 * 1024;
/** Micro-batches on their way at once. A broker works on one per connection; the second is there when it has finished. More only made batches smaller. */
const IN_FLIGHT = 2;
/** A record without its framing (offset, lengths, batch header). */
const MAX_RECORD_BYTES = MOST_RECORD_BYTES - 1024;
const LONGEST_PAUSE_MS = 2_000;
const ACK_TIMEOUT_MS = 10_000;

export type ProducerOptions = {
  clock: Clock;
  observer: Observer;
  partitionOf(topic: string, key: Uint8Array): number;
  /** An append that is not acknowledged after this rejects; its records may or may not be in the log. */
  appendTimeoutMs: number;
  /** Told `within-emit` when a micro-batch is in the log and nobody knows yet. */
  reached: Reached;
};

/**
 * Appends over KafkaJS, in micro-batches of its own: what arrives while batches are on their way goes together in the next one, so a lone append is sent at once.
 * P1: an append resolves when all in-sync replicas have all its records (acks -1).
 * P2: order per key is the order of the calls, also when a batch is sent again (record-lanes N1). A repeat may leave a record twice in the log; KafkaJS's
 * idempotent producer would prevent most of these, but it holds one batch per broker and can end in a sequence error that only a new process mends.
 * P3: a record that is too large fails its own append and no other.
 * P4: a broker that is gone is waited for; an append rejects after `appendTimeoutMs`.
 */
export class KafkaProducer {
  readonly #producer: Producer;
  readonly #lanes = new RecordLanes();
  readonly #options: ProducerOptions;
  readonly #closing = new AbortController();
  readonly #open = new Set<PendingAppend>();
  /** When each micro-batch that is on its way was sent. */
  readonly #sent = new Set<{ at: number }>();
  /** Since when each partition has something on its way. */
  readonly #busySince = new Map<string, number>();
  #scheduled = false;
  /** Batches whose last try failed. */
  readonly #failing = new Set<LaneBatch>();
  #drained: (() => void) | undefined;

  constructor(kafka: Kafka, options: ProducerOptions) {
    this.#options = options;
    this.#producer = kafka.producer({
      allowAutoTopicCreation: false,
      retry: SHORT_RETRIES,
      createPartitioner:
        () =>
        ({ message }) =>
          message.partition ?? 0,
    });
  }

  connect(): Promise<void> {
    return this.#producer.connect();
  }

  /** False while something that was sent has to be sent again. */
  get healthy(): boolean {
    return this.#failing.size === 0;
  }

  /**
   * P6: how long whatever is appended to the partition now waits already, in milliseconds: for the batch of that partition that is on its way, or for a slot. An
   * append may time out long before its batch is answered, and what comes after it is not even sent.
   */
  stuckMs(topic: string, partition: number): number {
    const now = this.#options.clock.now();
    const slotSince = this.#sent.size < IN_FLIGHT ? now : Math.max(...[...this.#sent].map(({ at }) => at));
    return now - Math.min(slotSince, this.#busySince.get(`${topic}/${partition}`) ?? now);
  }

  append(topic: string, records: NewRecord[]): Promise<void> {
    if (records.length === 0) return Promise.resolve();
    if (this.#closing.signal.aborted)
      return Promise.reject(new KafkaError({ code: 'unexpected', retry: false, message: 'the log is closed' }));
    const messages = records.map(toMessage);
    if (messages.some(({ bytes }) => bytes > MAX_RECORD_BYTES))
      return Promise.reject(
        new KafkaError({ code: 'too_large', retry: false, message: `a record is larger than ${MAX_RECORD_BYTES} bytes` }),
      ); // P3
    return new Promise((resolve, reject) => {
      const append = this.#pending(messages.length, resolve, reject);
      for (const { message, key, bytes } of messages) {
        const partition = this.#options.partitionOf(topic, key);
        this.#lanes.add(topic, partition, { message: { ...message, partition }, bytes, append });
      }
      this.#schedule();
    });
  }

  /** Sends what is waiting, for as long as it may take, and disconnects. */
  async close(): Promise<void> {
    this.#closing.abort();
    if (this.#open.size > 0) await new Promise<void>((resolve) => (this.#drained = resolve));
    await this.#producer.disconnect();
  }

  #pending(records: number, resolve: () => void, reject: (error: Error) => void): PendingAppend {
    const { clock, appendTimeoutMs } = this.#options;
    let left = records;
    let settled = false;
    const settle = (finish: () => void) => {
      if (settled) return;
      settled = true;
      cancel();
      this.#open.delete(append);
      finish();
      if (this.#open.size === 0) this.#drained?.();
    };
    const append: PendingAppend = {
      get settled() {
        return settled;
      },
      acknowledged: () => {
        left--;
        if (left === 0) settle(resolve); // P1
      },
      fail: (error) => settle(() => reject(error)),
    };
    const late = () =>
      append.fail(new KafkaError({ code: 'timed_out', retry: true, message: `no acknowledgement after ${appendTimeoutMs} ms` })); // P4
    const cancel = clock.timer(clock.now() + appendTimeoutMs, late);
    this.#open.add(append);
    return append;
  }

  /** Everything that is appended in one turn of the event loop goes together: a linger far under 2 ms. */
  #schedule(): void {
    if (this.#scheduled || this.#sent.size >= IN_FLIGHT || !this.#lanes.hasReady) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      while (this.#sent.size < IN_FLIGHT && this.#lanes.hasReady) void this.#dispatch(this.#lanes.take(BATCH_BYTES));
    });
  }

  /**
   * P5: what fails goes on lane by lane and gives its slot back, so that a partition without a leader holds up no other one.
   * Never rejects: every record is acknowledged, failed, or given up by its append's timeout.
   */
  async #dispatch(batches: LaneBatch[]): Promise<void> {
    if (batches.length === 0) return;
    const sent = { at: this.#options.clock.now() };
    this.#sent.add(sent);
    for (const { lane } of batches) this.#busySince.set(nameOf(lane), sent.at);
    const error = await this.#attempt(batches);
    this.#sent.delete(sent);
    if (error === undefined) this.#release(batches);
    else for (const batch of batches) void this.#goOnAlone(batch, error, batches.length > 1);
    this.#schedule();
  }

  /** `shared`: the refusal may be another lane's. */
  async #goOnAlone(batch: LaneBatch, error: KafkaError, shared: boolean): Promise<void> {
    const own = shared && !error.retry ? await this.#attempt([batch]) : error;
    if (own !== undefined) await this.#settle(batch, own);
    this.#failing.delete(batch);
    this.#release([batch]);
    this.#schedule();
  }

  #release(batches: LaneBatch[]): void {
    for (const { lane } of batches) this.#busySince.delete(nameOf(lane));
    this.#lanes.release(batches);
  }

  /** One try; resolves with why it failed. */
  async #attempt(batches: LaneBatch[]): Promise<KafkaError | undefined> {
    try {
      await this.#producer.sendBatch({ acks: -1, timeout: ACK_TIMEOUT_MS, topicMessages: batches.map(topicMessages) });
    } catch (error) {
      return new KafkaError(classifyKafkaError(error), error);
    }
    this.#options.reached('within-emit');
    for (const { records } of batches) for (const { append } of records) append.acknowledged();
    return undefined;
  }

  /** Sends what has failed again, until it stands, is refused, or nobody waits for it any more. */
  async #settle(batch: LaneBatch, first: KafkaError): Promise<void> {
    let { records } = batch;
    let error: KafkaError | undefined = first;
    for (let failures = 0; error !== undefined; failures++) {
      if (!error.retry) return this.#refused({ lane: batch.lane, records }, error);
      const { code, message } = error;
      if (this.#failing.size === 0)
        this.#options.observer.log('warn', 'records could not be appended; they are sent again', { code, message });
      this.#failing.add(batch);
      await pause(this.#options.clock, backoffMs(failures, LONGEST_PAUSE_MS));
      records = records.filter(({ append }) => !append.settled);
      if (records.length === 0) return;
      error = await this.#attempt([{ lane: batch.lane, records }]);
    }
  }

  /** P3: finds whose fault it is. */
  async #refused({ lane, records }: LaneBatch, error: KafkaError): Promise<void> {
    if (records.length === 1 || error.code !== 'too_large') {
      for (const { append } of records) append.fail(error);
      return;
    }
    for (const record of records) {
      const alone = { lane, records: [record] };
      const again = await this.#attempt([alone]);
      if (again !== undefined) await this.#settle(alone, again);
      this.#failing.delete(alone);
    }
  }
}

const nameOf = ({ topic, partition }: LaneBatch['lane']): string => `${topic}/${partition}`;

const topicMessages = ({ lane, records }: LaneBatch) => ({ topic: lane.topic, messages: records.map(({ message }) => message) });

function toMessage({ key, keyBytes: given, value, headers }: NewRecord): { message: Message; key: Buffer; bytes: number } {
  const keyBytes = Buffer.from(given ?? key);
  let bytes = keyBytes.length + value.byteLength + 32;
  for (const name in headers) bytes += name.length + (headers[name]?.length ?? 0) + 8;
  return {
    message: { key: keyBytes, value: Buffer.from(value.buffer, value.byteOffset, value.byteLength), headers },
    key: keyBytes,
    bytes,
  };
}
