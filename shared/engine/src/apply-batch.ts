import type { Command } from '@retrigger/domain/command.ts';
import { taskKey } from '@retrigger/domain/identifiers.ts';
import type { Answer, Answers } from '@retrigger/ports/answers.ts';
import type { Clock } from '@retrigger/ports/clock.ts';
import type { DecisionStore } from '@retrigger/ports/decision-store.ts';
import type { EventStore } from '@retrigger/ports/event-store.ts';
import type { Log, LogRecord, NewRecord } from '@retrigger/ports/log.ts';
import type { Observer } from '@retrigger/ports/observer.ts';
import { type Reached, unobserved } from '@retrigger/ports/reached.ts';
import type { ReceiptStore } from '@retrigger/ports/receipt-store.ts';
import type { SnapshotStore } from '@retrigger/ports/snapshot-store.ts';
import type { AnyDecider, Received } from './aggregate.ts';
import type { AggregateCache } from './aggregate-cache.ts';
import { deadLetter } from './dead-letters.ts';
import { BatchDecider } from './decide-batch.ts';
import { type EncodeEvent, emitDecisions, type ShowEvents } from './emit.ts';
import { gatherEvidence } from './gather-evidence.ts';
import type { KeyDecisions } from './key-decisions.ts';
import { loadBatch } from './load-aggregates.ts';
import { observeBatch } from './observe-batch.ts';
import { toDecided } from './store-decisions.ts';
import { isTick } from './ticks.ts';

export type Decoded = { kind: 'command'; command: Command } | { kind: 'undecodable'; reason: string };

export type WorkerPorts = {
  log: Log;
  events: EventStore;
  receipts: ReceiptStore;
  snapshots: SnapshotStore;
  decisions: DecisionStore;
  answers: Answers;
  clock: Clock;
  observer: Observer;
  decider: AnyDecider;
  decode(record: LogRecord): Decoded;
  encode(command: Command): NewRecord;
  encodeEvent: EncodeEvent;
  showEvents?: ShowEvents;
  reached: Reached;
};

/** Two owners of one partition can meet a few times before one is told to stop; more is a bug. */
const MOST_CONFLICTS = 50;

/**
 * The nine steps of a batch of one partition's records.
 * N1: an event is stored before it is told (emitted, answered). N2: the offset moves only after everything before it is done.
 * N3: a crash between or inside any two steps is repaired by redelivery: every step may be done again.
 * N4: the other owner of a partition, if there is one for a while, makes the same events under the same names; whoever is second takes the first one's.
 * N5: whoever waits is answered while the rest is emitted: what N1 asks for is done, and what a crash keeps from being emitted is with the redelivery that N2 brings.
 * A throw leaves in the cache what was known before, in doubt; the log delivers the records again. Returns what was decided. `silentSince`: since when this owner has not heard of an
 * aggregate's executor (epoch ms; 0 = it doesn't know), asked at `at` by the log's clock. `notBefore`: no event is older (epoch ms).
 */
export async function applyBatch(
  ports: WorkerPorts,
  cache: AggregateCache,
  partition: number,
  records: LogRecord[],
  commit: (next: number) => unknown,
  silentSince: (key: string, at: number) => number = () => 0,
  notBefore = 0,
): Promise<Iterable<KeyDecisions>> {
  const { received, dead } = decode(ports, records);
  const reached = records.every(isTick) ? unobserved : ports.reached; // nothing is at stake where nobody asked for anything
  reached('decoded');
  const decisions: KeyDecisions[] = [];
  const batch = new BatchDecider(ports.decider, silentSince, notBefore);
  try {
    await decideAndStore(ports, batch, cache, partition, received, decisions);
    await Promise.all([
      emitDecisions(ports, decisions, [...dead, ...giveUp(ports, records, decisions)]).then(() => reached('emitted')),
      answer(ports, decisions).then(() => reached('answered')), // N5
    ]);
  } catch (error) {
    for (const [key, { aggregate }] of batch.decisions) cache.doubt(key, aggregate.loaded); // C2
    throw error;
  }
  const last = records[records.length - 1];
  if (last !== undefined) await commit(last.offset + 1); // N2
  reached('committed');
  observeBatch(ports, received, decisions);
  return decisions;
}

/** Step 1. */
function decode(ports: WorkerPorts, records: LogRecord[]): { received: Received[]; dead: NewRecord[] } {
  const received: Received[] = [];
  const dead: NewRecord[] = [];
  for (const record of records) {
    if (isTick(record)) continue;
    const decoded = ports.decode(record);
    const key = decoded.kind === 'command' ? taskKey(decoded.command.tenantId, decoded.command.taskId) : record.key;
    const reason = decoded.kind === 'undecodable' ? decoded.reason : key === record.key ? null : `the record's key is not ${key}`;
    if (decoded.kind === 'command' && reason === null) {
      received.push({ command: decoded.command, key, position: { partition: record.partition, offset: record.offset, at: record.at } });
    } else if (reason !== null) {
      dead.push(deadLetter(record, reason));
      ports.observer.count('dead_letters_total', { source: record.topic });
      ports.observer.log('warn', 'record of the work log can not be read; it goes to the dead letters', {
        reason,
        partition: record.partition,
        offset: record.offset,
      });
    }
  }
  return { received, dead };
}

/** Steps 2 to 6; those of a key whose event's name was taken are done again on what is stored now (N4), and last those that waited for that (B9). */
async function decideAndStore(
  ports: WorkerPorts,
  batch: BatchDecider,
  cache: AggregateCache,
  partition: number,
  received: Received[],
  made: KeyDecisions[],
): Promise<void> {
  let open = received;
  for (let conflicts = 0; open.length > 0; conflicts++) {
    if (conflicts > MOST_CONFLICTS) throw new Error(`partition ${partition}: ${conflicts} conflicts in one batch`);
    const { aggregates, receipts } = await loadBatch(open, cache, ports);
    batch.load(aggregates, receipts);
    ports.reached('loaded');
    await decideAll(ports, batch, open);
    ports.reached('decided');
    const decisions = [...batch.decisions].filter(([key]) => aggregates.has(key));
    const written = await ports.decisions.write(
      toDecided(
        decisions.map(([, decision]) => decision),
        ports.decider,
        partition,
      ),
    );
    const taken = written.kind === 'conflict' ? written.keys : new Set<string>();
    for (const [key, decision] of decisions) {
      if (taken.has(key)) {
        cache.doubt(key, decision.aggregate.loaded);
        batch.forget(key);
        continue;
      }
      made.push(decision);
      const { aggregate, isOutdated } = decision;
      // The rest of a tail is for the records of later batches, which still have to leave their receipts.
      if (aggregate.tail.length > 0 || isOutdated) cache.doubt(key, aggregate);
      else if (aggregate.state !== undefined) cache.put(key, aggregate);
    }
    open = open.filter(({ key }) => taken.has(key));
    if (open.length === 0) open = batch.settle();
  }
}

/** Step 3, with the states of other aggregates that it asks for. They are read after the batch was received, so they are never older than what caused it. */
async function decideAll(ports: WorkerPorts, batch: BatchDecider, received: Received[]): Promise<void> {
  for (let { needs, open } = batch.decide(received); open.length > 0; { needs, open } = batch.decide(open))
    await gatherEvidence(ports.snapshots, batch.evidence, needs);
}

/** B7. They go to the dead letters like those that can't be read. */
function giveUp({ observer }: WorkerPorts, records: LogRecord[], decisions: Iterable<KeyDecisions>): NewRecord[] {
  const reasons = new Map([...decisions].flatMap(({ undecidable }) => [...undecidable]));
  return records.flatMap((record) => {
    const reason = reasons.get(record.offset);
    if (reason === undefined) return [];
    observer.count('dead_letters_total', { source: record.topic });
    const { key, partition, offset } = record;
    observer.log('error', 'a command could not be decided; it goes to the dead letters', { reason, key, partition, offset });
    return [deadLetter(record, `could not be decided: ${reason}`)];
  });
}

/** Step 8. An answer that can't be given is no error: its receipt is stored. */
async function answer(ports: WorkerPorts, decisions: Iterable<KeyDecisions>): Promise<void> {
  const byAddress = new Map<string, Answer[]>();
  for (const { answers } of decisions) {
    for (const { replyTo, answer } of answers) {
      const waiting = byAddress.get(replyTo);
      if (waiting === undefined) byAddress.set(replyTo, [answer]);
      else waiting.push(answer);
    }
  }
  for (const [replyTo, answers] of byAddress) {
    try {
      await ports.answers.give(replyTo, answers);
    } catch (error) {
      ports.observer.log('warn', 'answers could not be given; their receipts are stored', { count: answers.length, error: String(error) });
    }
  }
}
