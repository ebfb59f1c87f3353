import type { WorkerPorts } from '@retrigger/engine/apply-batch.ts';
import { createWorker } from '@retrigger/worker/worker.ts';
import type { Chance } from './chance.ts';
import type { Member } from './group.ts';
import { portsOf, type World } from './ports.ts';
import { Process } from './process.ts';

/** Small enough that what is read ahead is taken in several, and tenants take turns. */
const LARGEST_SLICE = 10;

/** The worker processes: started, killed, paused, and told late that a partition is another one's. */
export class Cluster {
  /** The widest difference between a process's clock and the true time, in milliseconds. */
  readonly skewMs: number;
  readonly #world: World;
  readonly #chance: Chance;
  readonly #wrap: (ports: WorkerPorts) => WorkerPorts;
  #started = 0;
  #isHealed = false;

  constructor(world: World, chance: Chance, skewMs: number, wrap: (ports: WorkerPorts) => WorkerPorts) {
    this.#world = world;
    this.#chance = chance;
    this.skewMs = skewMs;
    this.#wrap = wrap;
  }

  get members(): Member[] {
    return this.#world.group.members;
  }

  /** A new process with an empty memory. */
  async start(): Promise<void> {
    const process = new Process(`worker-${++this.#started}`);
    process.clockOffset = this.#chance.between(-this.skewMs, this.skewMs);
    this.#world.scheduler.note(process.name, 'starts');
    await createWorker(this.#wrap(portsOf(this.#world, process)), { sliceRecords: this.#chance.between(1, LARGEST_SLICE) });
    this.shareOut();
  }

  /** Gives every partition that nobody owns to somebody. */
  shareOut(): void {
    const { group } = this.#world;
    const byMember = new Map<Member, number[]>();
    group.owners.forEach((owner, partition) => {
      if (owner?.process.isAlive) return;
      const takers = group.members.filter((member) => group.canTake(member, partition));
      if (takers.length === 0) return;
      const taker = this.#chance.pick(takers);
      byMember.set(taker, [...(byMember.get(taker) ?? []), partition]);
    });
    for (const [member, partitions] of byMember) group.assign(partitions, member);
  }

  /** The process dies wherever it is; another takes over after a while, and a new one starts. */
  crash(member: Member): void {
    const { scheduler, group } = this.#world;
    scheduler.note(member.process.name, 'DIES');
    group.leave(member.process);
    scheduler.kill(member.process);
    scheduler.after(this.#chance.between(0, 8_000), () => this.shareOut());
    scheduler.after(this.#chance.between(0, 12_000), () => void this.start());
  }

  /** One partition becomes another member's; the one that had it is told after `toldAfterMs`. */
  move(partition: number, toldAfterMs: number): void {
    const { scheduler, group } = this.#world;
    const takers = group.members.filter((member) => group.canTake(member, partition) && member.process.pausedUntil <= scheduler.now);
    if (takers.length === 0) return;
    const [before, taker] = [group.owners[partition], this.#chance.pick(takers)];
    scheduler.note(taker.process.name, `takes ${partition} from ${before?.process.name ?? 'nobody'}`);
    group.assign([partition], taker);
    if (before !== undefined) scheduler.after(toldAfterMs, () => group.tell(before, partition));
  }

  /** The process stops for a while; others take over some of what it has, and it does not know. */
  pause(member: Member, ms: number): void {
    const { scheduler, group } = this.#world;
    scheduler.note(member.process.name, `is PAUSED for ${ms} ms`);
    scheduler.pause(member.process, scheduler.now + ms);
    if (ms < 3_000) return;
    group.owners.forEach((owner, partition) => {
      if (owner !== member) return;
      scheduler.after(this.#chance.between(1_000, ms), () => {
        if (group.owners[partition] === member && !this.#isHealed) this.move(partition, this.#chance.between(ms, ms + 15_000));
      });
    });
  }

  /** Everybody goes on, nobody believes to own what is another one's, and nothing is without an owner. */
  heal(): void {
    const { scheduler, group } = this.#world;
    this.#isHealed = true;
    for (const member of group.members) {
      member.process.pausedUntil = 0;
      for (const partition of member.held.keys()) group.tell(member, partition);
    }
    this.shareOut();
    scheduler.after(20_000, () => this.shareOut());
  }
}
