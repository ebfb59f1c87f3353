import type { EventCodec } from '@retrigger/contract/event-codec.ts';
import type { HttpTargets, TargetCall } from '@retrigger/delivery/http-target.ts';
import type { Command } from '@retrigger/domain/command.ts';
import { parseDuration } from '@retrigger/domain/duration.ts';
import type { JsonObject } from '@retrigger/domain/json.ts';
import { deadLetter } from '@retrigger/engine/dead-letters.ts';
import type { Privacy } from '@retrigger/engine/privacy.ts';
import { pauseUntil } from '@retrigger/lifecycle/pause.ts';
import type { Clock } from '@retrigger/ports/clock.ts';
import { type CommitOffset, type Log, type LogRecord, type NewRecord, type RecordHandler, TOPICS } from '@retrigger/ports/log.ts';
import type { Observer } from '@retrigger/ports/observer.ts';
import type { Secrets } from '@retrigger/ports/secrets.ts';
import type { SnapshotStore } from '@retrigger/ports/snapshot-store.ts';
import { CallQueue, type CallQueueBounds, type LaneName } from './call-queue.ts';
import { type DueCall, dueCall, loadSnapshots } from './current-execution.ts';
import { type DecodedEvent, decodeEvent, type Triggered } from './decode-event.ts';
import { PartitionProgress } from './partition-progress.ts';
import { type Ended, endReport, heartbeat, type Reports, reportsTo, startReport } from './reports.ts';

export type DispatcherPorts = {
  log: Log;
  snapshots: SnapshotStore;
  eventCodec: Pick<EventCodec, 'decode'>;
  targets: HttpTargets;
  secrets: Secrets;
  privacy: Pick<Privacy, 'sealing' | 'disclosure'>;
  clock: Clock;
  observer: Observer;
  encode(command: Command): NewRecord;
};

const DEFAULT_TIMEOUT_MS = 30_000;
/** Offsets that one partition may be ahead of its lowest unfinished record. */
const MOST_AHEAD = 100_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 30_000;

/**
 * Calls the targets of triggered tasks and reports what they answered.
 * X1: only the current execution is called, by the task's snapshot as it is when the call begins.
 * X2: the offset passes an event only when its call is over and the outcome is in the work log (202: when the target took it).
 * X3: a call that a crash leaves without an outcome is made again with the same executionId, so delivery is at least once.
 * X5: a sensitive task's context is opened for its target and for nobody else; one that was erased fails, and its target is not called.
 * X4: calls run beside each other; no handler waits for one, except when the queue is full.
 */
export class Dispatch implements RecordHandler {
  readonly #ports: DispatcherPorts;
  readonly #heartbeatEveryMs: number;
  readonly #queue: CallQueue;
  /** The types that have a bound of their own. */
  readonly #bounded: ReadonlyMap<string, number>;
  readonly #reports: Reports;
  readonly #partitions = new Map<number, PartitionProgress>();
  /** Calls of this process by executionId. An event that is delivered again while its call runs waits for that one. */
  readonly #calls = new Map<string, Promise<boolean>>();
  readonly #breaking = new AbortController();
  readonly #stopped = Promise.withResolvers<void>();
  #isStopping = false;

  constructor(ports: DispatcherPorts, bounds: CallQueueBounds, heartbeatEveryMs: number) {
    this.#ports = ports;
    this.#heartbeatEveryMs = heartbeatEveryMs;
    this.#queue = new CallQueue(bounds);
    this.#bounded = bounds.runningInGroup ?? new Map();
    this.#reports = reportsTo(ports, this.#breaking.signal);
  }

  async assigned(partitions: number[]): Promise<void> {
    for (const partition of partitions) this.#newProgress(partition);
  }

  async revoked(partitions: number[]): Promise<void> {
    for (const partition of partitions) {
      this.#partitions.get(partition)?.close();
      this.#partitions.delete(partition);
    }
  }

  async batch(partition: number, records: LogRecord[], commit: CommitOffset): Promise<void> {
    const progress = this.#partitions.get(partition) ?? this.#newProgress(partition);
    const { snapshots, clock, eventCodec } = this.#ports;
    const decoded = await Promise.all(records.map(async (record) => ({ record, read: await decodeEvent(record, eventCodec) })));
    await this.#bury(decoded);
    const events = decoded.flatMap(({ read }) => (read.kind === 'triggered' ? [read.event] : []));
    const loaded = await loadSnapshots(events, snapshots, clock, this.#breaking.signal);
    for (const { record, read } of decoded) {
      await Promise.all([this.#queue.room(), progress.room(MOST_AHEAD)]);
      if (this.#isStopping) return this.#stopped.promise; // what is not taken comes again
      if (progress.isClosed) return;
      if (!progress.take(record.offset, commit)) continue;
      const due = read.kind === 'triggered' ? dueCall(read.event, loaded.get(record.key)) : undefined;
      if (read.kind === 'triggered' && due !== undefined) this.#enqueue(read.event, due, record.offset, progress);
      else progress.finish(record.offset);
    }
  }

  /** No call begins any more. Those that run have `withinMs` to end; the rest is broken off and made again by whoever comes next. */
  async stop(withinMs: number): Promise<void> {
    const { clock } = this.#ports;
    this.#isStopping = true;
    this.#queue.stop();
    const idle = new AbortController();
    const ended = this.#queue.idle().then(() => idle.abort());
    await pauseUntil(clock.now() + withinMs, clock, idle.signal);
    this.#breaking.abort();
    await ended;
    for (const progress of this.#partitions.values()) await progress.finalCommit();
    this.#stopped.resolve();
  }

  #newProgress(partition: number): PartitionProgress {
    this.#partitions.get(partition)?.close();
    const progress = new PartitionProgress(this.#ports.clock, this.#ports.observer);
    this.#partitions.set(partition, progress);
    return progress;
  }

  /** What can't be read goes to the dead letters before the offset passes it. */
  async #bury(decoded: { record: LogRecord; read: DecodedEvent }[]): Promise<void> {
    const { log, observer } = this.#ports;
    const dead: NewRecord[] = [];
    for (const { record, read } of decoded) {
      if (read.kind !== 'undecodable') continue;
      dead.push(deadLetter(record, read.reason));
      const { partition, offset } = record;
      observer.count('dead_letters_total', { source: record.topic });
      observer.log('warn', 'an event can not be read; it goes to the dead letters', { reason: read.reason, partition, offset });
    }
    if (dead.length > 0) await log.append(TOPICS.deadLetters, dead);
  }

  #enqueue(event: Triggered, due: DueCall, offset: number, progress: PartitionProgress): void {
    let first: DueCall | undefined = due;
    const group = this.#bounded.has(due.type) ? due.type : NO_BOUND;
    const added = this.#queue.add(laneOf(event, due, group), async () => {
      if (progress.isClosed) return;
      const running = this.#calls.get(event.executionId) ?? this.#callUntilOver(event, first);
      this.#calls.set(event.executionId, running);
      const isOver = await running;
      if (this.#calls.get(event.executionId) === running) this.#calls.delete(event.executionId);
      if (isOver) progress.finish(offset); // X2
    });
    if (added === 'waits') first = undefined; // it may be old by then, and it is large
  }

  /** Resolves true when the event needs nothing more, false when this process ends first. */
  async #callUntilOver(event: Triggered, first: DueCall | undefined): Promise<boolean> {
    const { observer, clock } = this.#ports;
    const ending = this.#breaking.signal;
    for (let failures = 0, known = first; !ending.aborted; failures++, known = undefined) {
      try {
        return await this.#call(event, known);
      } catch (error) {
        const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures);
        observer.log('error', 'a call could not be made; it is tried again', {
          executionId: event.executionId,
          pauseMs,
          error: String(error),
        });
        await pauseUntil(clock.now() + pauseMs, clock, ending);
      }
    }
    return false;
  }

  async #call(event: Triggered, known: DueCall | undefined): Promise<boolean> {
    const { observer, snapshots, clock } = this.#ports;
    const due = known ?? dueCall(event, (await loadSnapshots([event], snapshots, clock, this.#breaking.signal)).get(event.key)); // X1
    if (due === undefined) return true;
    return observer.span('call target', event.traceparent, { executionId: event.executionId }, (traceparent) =>
      this.#callDue(event, due, traceparent),
    );
  }

  async #callDue(event: Triggered, due: DueCall, traceparent: string): Promise<boolean> {
    const { targets, secrets, clock, observer, privacy } = this.#ports;
    const opened = await privacy.disclosure.context(event.tenantId, event.taskId, due.request.context); // X5
    if (opened.kind === 'erased') return this.#reports.append(endReport(event, traceparent, ERASED));
    const startedAt = clock.now();
    const started = this.#reports.append(startReport(event, traceparent));
    const silence = this.#beat(event, traceparent);
    const secret = secrets.derive('target', event.tenantId, event.taskId, due.target.secretGeneration);
    const answer = await targets.call(targetCall(due, opened.context, secret, traceparent), this.#breaking.signal).finally(silence);
    const isBroken = this.#breaking.signal.aborted && answer.kind === 'failed'; // X3: broken off by us, not by the target
    if (isBroken || !(await started)) return false;
    observer.count('target_calls_total', { outcome: answer.kind === 'failed' ? answer.error.code : answer.kind });
    observer.measure('target_call_seconds', Math.max(0, clock.now() - startedAt) / 1000, {});
    return answer.kind === 'accepted' || this.#reports.append(endReport(event, traceparent, answer));
  }

  /** Heartbeats while a call runs, for the target can't send any before it has answered. Returns what ends them. */
  #beat(event: Triggered, traceparent: string): () => void {
    const { clock } = this.#ports;
    let cancel = () => {};
    const arm = () => {
      cancel = clock.timer(clock.now() + this.#heartbeatEveryMs, () => {
        void this.#reports.append(heartbeat(event, traceparent, clock.now()));
        arm();
      });
    };
    arm();
    return () => cancel();
  }
}

const ERASED: Ended = {
  kind: 'failed',
  error: { code: 'data_erased', message: 'Its context was erased' },
  retryable: false,
};

const targetCall = ({ target, request }: DueCall, context: JsonObject, secret: Buffer, traceparent: string): TargetCall => ({
  url: target.url,
  method: target.method ?? 'POST',
  headers: target.headers ?? {},
  timeoutMs: parseDuration(target.timeout ?? '') ?? DEFAULT_TIMEOUT_MS,
  secret,
  request: { ...request, context },
  ...(traceparent === '' ? {} : { traceparent }),
});

/** A lane for each tenant, host and bounded type: none of them waits for another that is slow or at its bound. */
const laneOf = ({ tenantId }: Triggered, { target }: DueCall, group: string): LaneName => ({
  ...{ tenantId, group },
  target: URL.parse(target.url)?.origin ?? '',
});

/** The group of all types that have no bound of their own. */
const NO_BOUND = '';
