import type { Command } from '@retrigger/domain/command.ts';
import { domainDecider } from '@retrigger/domain/domain-decider.ts';
import { type Fingerprint, fingerprint } from '@retrigger/domain/idempotency.ts';
import { taskKey } from '@retrigger/domain/identifiers.ts';
import type { JsonObject } from '@retrigger/domain/json.ts';
import type { TaskCommandBody } from '@retrigger/domain/task/commands.ts';
import type { AnyDecider } from '@retrigger/engine/aggregate.ts';
import { AggregateCache } from '@retrigger/engine/aggregate-cache.ts';
import { applyBatch, type WorkerPorts } from '@retrigger/engine/apply-batch.ts';
import { writeInSteps } from '@retrigger/engine/write-in-steps.ts';
import type { Answer } from '@retrigger/ports/answers.ts';
import { type Log, type LogRecord, type NewRecord, TOPICS } from '@retrigger/ports/log.ts';
import { silent } from '@retrigger/ports/observer.ts';
import { unobserved } from '@retrigger/ports/reached.ts';
import { type Before, type FakeStores, fakeEvents, fakeReceipts, fakeSnapshots } from './fake-stores.ts';
import { ManualClock } from './manual-clock.ts';

export const MORNING = Date.parse('2026-03-02T08:00:00Z');

export type Sent = Command & { fingerprint?: Fingerprint };

/** A command as a door hands it in. */
export function command(commandId: string, taskId: string, body: TaskCommandBody): Sent {
  const header = { commandId, tenantId: 'acme', taskId, actor: { id: 'ann', type: 'user' as const }, roles: ['admin' as const] };
  return { ...header, correlationId: commandId, fingerprint: fingerprint(body.body as JsonObject), replyTo: `door/${commandId}`, ...body };
}

export const encode = (sent: Command): NewRecord => ({
  key: taskKey(sent.tenantId, sent.taskId),
  value: Buffer.from(JSON.stringify(sent)),
  headers: {},
});

export const decode: WorkerPorts['decode'] = ({ value }) => {
  try {
    return { kind: 'command', command: JSON.parse(Buffer.from(value).toString()) };
  } catch {
    return { kind: 'undecodable', reason: 'it is not JSON' };
  }
};

/** Records of partition 0 as they stand in the log, one millisecond apart. */
export const inLog = (commands: Command[], firstOffset = 0): LogRecord[] =>
  commands.map((sent, index) => ({
    ...encode(sent),
    topic: TOPICS.work,
    partition: 0,
    offset: firstOffset + index,
    at: MORNING + firstOffset + index,
  }));

/** One owner of partition 0, with a cache of its own, on stores that it may share with another. */
export class Owner {
  readonly appended: { topic: string; record: NewRecord }[] = [];
  readonly answers: Answer[] = [];
  readonly committed: number[] = [];
  readonly ports: WorkerPorts;
  #cache = new AggregateCache(100);

  constructor(stores: FakeStores, before: Before = () => Promise.resolve()) {
    const [events, receipts, snapshots] = [fakeEvents(stores, before), fakeReceipts(stores, before), fakeSnapshots(stores, before)];
    const log = {
      append: async (topic: string, records: NewRecord[]) => {
        await before(`emit ${topic}`);
        for (const record of records) this.appended.push({ topic, record });
      },
    } as Partial<Log> as Log;
    this.ports = {
      ...{ log, events, receipts, snapshots, decode, encode },
      encodeEvent: ({ json }) => Buffer.from(json),
      decisions: writeInSteps(events, receipts, snapshots, unobserved),
      answers: {
        address: 'door',
        expect: () => Promise.resolve(undefined),
        give: async (_, answers) => void this.answers.push(...answers),
        close: () => Promise.resolve(),
      },
      clock: new ManualClock(MORNING),
      observer: silent,
      decider: domainDecider as AnyDecider,
      reached: unobserved,
    };
  }

  async take(records: LogRecord[], silentSince?: (key: string, at: number) => number): Promise<void> {
    const commit = async (next: number) => void this.committed.push(next);
    await applyBatch(this.ports, this.#cache, 0, records, commit, silentSince);
  }

  /** Its process dies and another begins with nothing in memory. */
  restart(): void {
    this.#cache = new AggregateCache(100);
  }

  /** Follow-up commands that it has sent. */
  followUps(): Command[] {
    return this.appended.filter(({ topic }) => topic === TOPICS.work).map(({ record }) => JSON.parse(Buffer.from(record.value).toString()));
  }
}
