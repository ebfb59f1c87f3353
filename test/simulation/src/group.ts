import { type LogConsumer, type RecordHandler, TOPICS } from '@retrigger/ports/log.ts';
import type { Chance } from './chance.ts';
import { InjectedFault, type Process } from './process.ts';
import type { Scheduler } from './scheduler.ts';
import type { WorkLog } from './work-log.ts';

const LARGEST_BATCH = 12;
const PAUSE_MS = 200;

type Held = { state: 'assigning' | 'idle' | 'waiting' | 'running'; next: number };

/** One process in the group. `held` are the partitions that it believes to own; it may be told late that it does not. */
export type Member = { process: Process; handler: RecordHandler; held: Map<number, Held> };

/**
 * Who owns which partition of the work log (L4, L5). A member that lost a partition goes on with it, also with further records, until it is told; its
 * commits no more count.
 */
export class Group {
  readonly members: Member[] = [];
  readonly owners: (Member | undefined)[];
  readonly committed: number[];
  readonly #scheduler: Scheduler;
  readonly #log: WorkLog;
  readonly #chance: Chance;
  readonly #report: (finding: string) => void;

  constructor(scheduler: Scheduler, log: WorkLog, chance: Chance, report: (finding: string) => void) {
    this.#scheduler = scheduler;
    this.#log = log;
    this.#chance = chance;
    this.#report = report;
    this.owners = Array.from({ length: log.partitions }, () => undefined);
    this.committed = this.owners.map(() => 0);
    log.onAppended((topic, partition) => {
      if (topic === TOPICS.work) for (const member of this.members) this.#pump(member, partition);
    });
  }

  join(process: Process, handler: RecordHandler): LogConsumer {
    this.members.push({ process, handler, held: new Map() });
    return { stop: () => Promise.resolve() };
  }

  leave(process: Process): void {
    const index = this.members.findIndex((member) => member.process === process);
    if (index !== -1) this.members.splice(index, 1);
  }

  /** A member that believes to own it, or still works on a batch of it, can't be given it. */
  canTake(member: Member, partition: number): boolean {
    return member.process.isAlive && !member.held.has(partition);
  }

  /** From now on the partition is this member's. Whoever had it before is told by `tell`. */
  assign(partitions: number[], member: Member): void {
    const begun = new Map<number, Held>();
    for (const partition of partitions) {
      this.owners[partition] = member;
      begun.set(partition, { state: 'assigning', next: 0 });
    }
    for (const [partition, held] of begun) member.held.set(partition, held);
    this.#scheduler.soon(member.process, `is assigned ${partitions.join(', ')}`, () => this.#begin(begun, member));
  }

  /** What was lost before it had begun, and perhaps given again since, does not begin by this. */
  #begin(begun: Map<number, Held>, member: Member): void {
    const partitions = [...begun.keys()].filter((partition) => member.held.get(partition) === begun.get(partition));
    if (partitions.length === 0) return;
    const again = (error: unknown) => {
      this.#check(error);
      this.#scheduler.timer(member.process, this.#scheduler.now + member.process.clockOffset + PAUSE_MS, () => this.#begin(begun, member));
    };
    const go = () => {
      for (const [partition, held] of begun) {
        if (member.held.get(partition) !== held) continue;
        held.next = this.committed[partition] ?? 0;
        held.state = 'idle';
        this.#pump(member, partition);
      }
    };
    member.handler.assigned(partitions).then(go, again);
  }

  /** Tells a member that it has lost a partition, when it believes to have it and has not. A batch under way goes on. */
  tell(member: Member, partition: number): void {
    const held = member.held.get(partition);
    if (held === undefined || this.owners[partition] === member) return;
    this.#scheduler.soon(member.process, `is told that it lost ${partition}`, () => {
      if (member.held.get(partition) !== held || this.#lost.has(held)) return;
      const isRunning = held.state === 'running';
      if (!isRunning) member.held.delete(partition);
      else held.state = 'waiting'; // it is let go when its batch ends
      void member.handler.revoked([partition]).catch((error) => this.#check(error));
      if (isRunning) this.#lost.add(held);
    });
  }

  readonly #lost = new Set<Held>();

  #pump(member: Member, partition: number): void {
    const held = member.held.get(partition);
    if (held?.state !== 'idle' || held.next >= this.#log.records(TOPICS.work, partition).length) return;
    held.state = 'waiting';
    this.#scheduler.soon(member.process, `takes records of ${partition} from ${held.next}`, () => this.#deliver(member, partition, held));
  }

  #deliver(member: Member, partition: number, held: Held): void {
    if (member.held.get(partition) !== held || held.state !== 'waiting') return;
    held.state = 'running';
    const records = this.#log.records(TOPICS.work, partition).slice(held.next, held.next + this.#chance.between(1, LARGEST_BATCH));
    const commit = (next: number) => this.#commit(member, partition, next);
    member.handler.batch(partition, records, commit).then(
      () => {
        held.next += records.length;
        this.#ended(member, partition, held);
      },
      (error) => {
        this.#check(error);
        const { process } = member;
        this.#scheduler.timer(process, this.#scheduler.now + process.clockOffset + PAUSE_MS, () => this.#ended(member, partition, held));
      },
    );
  }

  #ended(member: Member, partition: number, held: Held): void {
    if (this.#lost.delete(held)) {
      member.held.delete(partition);
      return;
    }
    held.state = 'idle';
    this.#pump(member, partition);
  }

  #commit(member: Member, partition: number, next: number): Promise<boolean> {
    return this.#scheduler.operation(member.process, {
      label: `commits ${partition} up to ${next}`,
      finish: () => {
        if (this.owners[partition] !== member) {
          if (this.#chance.is(0.5)) throw new InjectedFault('the partition is another one’s');
          return false;
        }
        this.committed[partition] = Math.max(this.committed[partition] ?? 0, next);
        return true;
      },
    });
  }

  #check(error: unknown): void {
    if (!(error instanceof InjectedFault)) this.#report(`a handler threw ${error instanceof Error ? error.stack : String(error)}`);
  }
}
