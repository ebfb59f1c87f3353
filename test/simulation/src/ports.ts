import type { Command } from '@retrigger/domain/command.ts';
import type { StoredEvent } from '@retrigger/domain/event.ts';
import { taskKey } from '@retrigger/domain/identifiers.ts';
import type { AnyDecider } from '@retrigger/engine/aggregate.ts';
import type { Decoded, WorkerPorts } from '@retrigger/engine/apply-batch.ts';
import { writeInSteps } from '@retrigger/engine/write-in-steps.ts';
import { writeTogether } from '@retrigger/engine/write-together.ts';
import type { Answer, Answers } from '@retrigger/ports/answers.ts';
import type { EventStore } from '@retrigger/ports/event-store.ts';
import type { LogRecord, NewRecord } from '@retrigger/ports/log.ts';
import { type Observer, silent } from '@retrigger/ports/observer.ts';
import { unobserved } from '@retrigger/ports/reached.ts';
import type { ReceiptStore } from '@retrigger/ports/receipt-store.ts';
import type { SnapshotStore } from '@retrigger/ports/snapshot-store.ts';
import type { Group } from './group.ts';
import { InjectedFault, type Process } from './process.ts';
import { logOf } from './process-log.ts';
import type { Scheduler } from './scheduler.ts';
import type { Stored } from './stored.ts';
import type { WorkLog } from './work-log.ts';

/** What all processes share, and what outlives them. */
export type World = {
  scheduler: Scheduler;
  log: WorkLog;
  stored: Stored;
  group: Group;
  decider: AnyDecider;
  /** Answers that arrive at whoever waits. */
  answered: (replyTo: string, answer: Answer) => void;
  /** Records were appended; a producer that has not heard of it may do that again. */
  appended: (again: () => void) => void;
  /** What must never happen, found while it happens. */
  report: (finding: string) => void;
};

/** The ports of one process: everything it does to the world is an operation of the scheduler. */
export function portsOf(world: World, process: Process): WorkerPorts {
  const { scheduler, decider } = world;
  const [events, receipts, snapshots] = [eventsOf(world, process), receiptsOf(world, process), snapshotsOf(world, process)];
  return {
    ...{ events, receipts, snapshots, decider, decode, encode, encodeEvent },
    log: logOf(world, process),
    decisions: writeTogether(writeInSteps(events, receipts, snapshots, unobserved), silent, queueMicrotask),
    answers: answersOf(world, process),
    clock: {
      now: () => Math.floor(scheduler.now + process.clockOffset),
      timer: (at, fire) => scheduler.timer(process, at, fire),
    },
    observer: watching(world, process),
    reached: unobserved,
  };
}

function eventsOf({ scheduler, stored, group, report }: World, process: Process): EventStore {
  const stream = (key: string) => stored.events.get(key) ?? [];
  const unused = () => Promise.reject(new Error('a worker does not ask for pages'));
  return {
    append(events) {
      const taken = new Set<string>();
      const steps = events.map((event) => () => {
        if (taken.has(event.key)) return;
        const { partition } = event.position;
        if (!stored.insert(event, scheduler.steps)) taken.add(event.key);
        else if (Date.parse(event.event.timestamp) < (stored.marks.get(partition)?.at ?? 0) && group.owners[partition]?.process === process)
          report(`${event.event.eventId} is stored behind its partition's mark`); // T1, T2
      });
      const label = `stores ${events.map(({ key, event }) => `${key}#${event.sequence} ${event.eventType}`).join(', ')}`;
      return scheduler.operation(process, {
        ...{ label, steps },
        finish: () => (taken.size === 0 ? { kind: 'stored' } : { kind: 'conflict', keys: taken }),
      });
    },
    read(key, { from, to, limit, order }) {
      const finish = () => {
        const found = stream(key).filter(({ event }) => event.sequence >= from && event.sequence <= to);
        return (order === 'asc' ? found : found.reverse()).slice(0, limit);
      };
      return scheduler.operation(process, { label: `reads events of ${key} from ${from}`, finish });
    },
    ...{ page: unused, count: unused, pageOfTenant: unused, countOfTenant: unused, texts: unused },
  };
}

function receiptsOf({ scheduler, stored }: World, process: Process): ReceiptStore {
  return {
    put(receipts) {
      const steps = receipts.map((receipt) => () => stored.keep(receipt, scheduler.steps));
      return scheduler.operation(process, { label: `keeps ${receipts.length} receipts`, steps, finish: () => {} });
    },
    load(commandIds) {
      const find = (id: string) => {
        const found = stored.receipts.get(id);
        return found === undefined ? [] : [[id, found] as const];
      };
      return scheduler.operation(process, { label: 'loads receipts', finish: () => new Map(commandIds.flatMap(find)) });
    },
    sweep: () => scheduler.operation(process, { label: 'sweeps receipts', finish: () => 0 }),
  };
}

function snapshotsOf({ scheduler, stored }: World, process: Process): SnapshotStore {
  return {
    save(snapshots) {
      const steps = snapshots.map((snapshot) => () => stored.save(snapshot, scheduler.steps));
      const label = `saves ${snapshots.map(({ key, head }) => `${key}@${head.sequence}`).join(', ')}`;
      return scheduler.operation(process, { label, steps, finish: () => {} });
    },
    load(keys) {
      const find = (key: string) => {
        const row = stored.rows.get(key);
        if (row === undefined) return [];
        const { text, ...found } = row;
        return [[key, { ...found, state: JSON.parse(text) }] as const];
      };
      return scheduler.operation(process, { label: `loads ${keys.join(', ')}`, finish: () => new Map(keys.flatMap(find)) });
    },
    due: (partition, before, after, limit) =>
      scheduler.operation(process, {
        label: `asks what is due in ${partition}`,
        finish: () => stored.due(partition, before, after, limit),
      }),
    waiting: (tenantId, taskId, after, limit) =>
      scheduler.operation(process, {
        label: `asks who waits for ${taskKey(tenantId, taskId)}`,
        finish: () => stored.waiting(tenantId, taskId, after, limit),
      }),
    list: () => scheduler.operation(process, { label: 'lists tasks', finish: () => [] }), // only the door asks
    claimable: () => scheduler.operation(process, { label: 'asks what may be claimed', finish: () => [] }), // only the door asks
    saveMark(partition, { at, newest }) {
      const { at: before = 0, newest: newestBefore = 0 } = stored.marks.get(partition) ?? {};
      const finish = () => void stored.marks.set(partition, { at: Math.max(before, at), newest: Math.max(newestBefore, newest) });
      return scheduler.operation(process, { label: `marks ${partition}`, finish });
    },
    marks: () => scheduler.operation(process, { label: 'reads marks', finish: () => new Map(stored.marks) }),
  };
}

function answersOf({ scheduler, answered }: World, process: Process): Answers {
  return {
    address: process.name,
    expect: () => Promise.reject(new Error('a worker expects no answers')),
    give: (replyTo, answers) =>
      scheduler.operation(process, {
        label: `answers ${replyTo}`,
        finish: () => {
          for (const answer of answers) answered(replyTo, answer);
        },
      }),
    close: () => Promise.resolve(),
  };
}

/** A process that logs an error which nobody injected is a finding. */
function watching({ scheduler, report }: World, process: Process): Observer {
  return {
    ...silent,
    log(level, message, fields) {
      scheduler.note(process.name, `${level}: ${message} ${String(fields?.error ?? '').split('\n')[0]}`);
      if (level === 'error' && !String(fields?.error).includes(InjectedFault.sign))
        report(`${process.name}: ${message}: ${String(fields?.error)}`);
    },
  };
}

export const encode = (command: Command): NewRecord => ({
  key: taskKey(command.tenantId, command.taskId),
  value: Buffer.from(JSON.stringify(command)),
  headers: {},
});

export const encodeEvent = ({ json }: StoredEvent): Uint8Array => Buffer.from(json);

export function decode({ value }: LogRecord): Decoded {
  try {
    return { kind: 'command', command: JSON.parse(Buffer.from(value).toString()) as Command };
  } catch {
    return { kind: 'undecodable', reason: 'it is not JSON' };
  }
}
