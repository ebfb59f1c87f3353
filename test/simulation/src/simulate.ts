import { domainDecider } from '@retrigger/domain/domain-decider.ts';
import { taskKey } from '@retrigger/domain/identifiers.ts';
import type { TaskState } from '@retrigger/domain/task/state.ts';
import type { AnyDecider } from '@retrigger/engine/aggregate.ts';
import type { WorkerPorts } from '@retrigger/engine/apply-batch.ts';
import { TOPICS } from '@retrigger/ports/log.ts';
import { Chance } from './chance.ts';
import { Cluster } from './cluster.ts';
import { Door } from './door.ts';
import { Executors } from './executors.ts';
import { Faults, planOf } from './faults.ts';
import { findings, type Scene } from './findings.ts';
import { Group } from './group.ts';
import { portsOf, type World } from './ports.ts';
import { Process } from './process.ts';
import { logOf } from './process-log.ts';
import { MOST_STEPS, Scheduler } from './scheduler.ts';
import { Stored } from './stored.ts';
import { ROOT, Users } from './users.ts';
import { WorkLog } from './work-log.ts';

const BEGIN = Date.parse('2026-03-02T08:00:00Z');
const LONGEST_QUIET_MS = 1_200_000;
const LOOK_EVERY_MS = 5_000;
/** Waiting tasks look again by themselves within this. */
const NET_MS = 160_000;

export type Simulated = { seed: number; plan: string; findings: string[]; trace: string[]; steps: number; events: number };
/** Bugs to plant: another decider, or ports that break their promises. */
export type Planted = { decider?: AnyDecider; wrap?: (ports: WorkerPorts) => WorkerPorts };

/** One run: users, executors and faults for some minutes, then none of them until everything due is done, then the checkers. */
export async function simulate(seed: number, planted: Planted = {}): Promise<Simulated> {
  const chance = (purpose: number) => new Chance(seed * 8 + purpose);
  const [plan, size] = [planOf(chance(0)), chance(1)];
  const scheduler = new Scheduler(chance(2), BEGIN);
  const found: string[] = [];
  const report = (finding: string) => {
    scheduler.note('FINDING', finding);
    found.push(finding);
  };
  const log = new WorkLog(size.between(1, 3));
  const stored = new Stored();
  const group = new Group(scheduler, log, chance(3), report);
  const luck = chance(4);
  let isOver = false;
  const world: World = {
    ...{ scheduler, log, stored, group, report },
    decider: planted.decider ?? (domainDecider as AnyDecider),
    answered: (replyTo, answer) => {
      if (isOver || !luck.is(plan.lostAnswers)) door.answered(replyTo, answer);
    },
    appended: (again) => {
      if (!isOver && luck.is(plan.repeats)) scheduler.after(luck.between(0, 3_000), again);
    },
  };
  log.onAppended((topic, partition) => {
    if (topic !== TOPICS.events) return;
    const text = Buffer.from(log.records(topic, partition).at(-1)?.value ?? []).toString();
    if (!stored.texts.has(text)) report(`an event is told before it is stored: ${text.slice(0, 200)}`); // N1
  });
  const outside = new Process('door');
  const door = new Door(scheduler, chance(5), { log: logOf(world, outside), receipts: portsOf(world, outside).receipts }, report);
  const executors = new Executors(scheduler, chance(6), log, door);
  const cluster = new Cluster(world, chance(7), plan.skewMs, planted.wrap ?? ((ports) => ports));
  const users = new Users(size, {
    exists: (tenantId, taskId) => stored.rows.has(taskKey(tenantId, taskId)),
    now: () => scheduler.now,
  });
  for (let count = size.between(plan.processes, 3); count > 0; count--) await cluster.start();
  const faults = new Faults(plan, chance(8), scheduler, cluster, log);
  faults.begin();

  const requests = size.between(15, 90);
  const meanMs = size.pick([100, 600, 2_000]);
  for (let count = 0, at = scheduler.now; count < requests; count++) {
    at += size.is(0.3) ? 0 : size.between(0, 2 * meanMs);
    scheduler.timer(null, at, () => void door.ask(users.next()));
  }
  const begun = scheduler.now;
  const faultsEnd = begun + Math.max(requests * meanMs, 20_000) + 10_000;
  await scheduler.run(() => scheduler.now >= faultsEnd);
  faults.end();
  isOver = true;
  await untilQuiet(NET_MS);
  for (const request of users.again(5)) void door.ask(request);
  await untilQuiet(0);
  const scene: Scene = { plan, log, stored, group, door, executors, end: scheduler.now };
  return {
    seed,
    plan: plan.name,
    findings: [...found, ...findings(scene)],
    trace: scheduler.trace,
    steps: scheduler.steps,
    events: scene.log.all(TOPICS.events).length,
  };

  /** What recurs would go on for ever. */
  function endRecurring(): void {
    for (const { tenantId, taskId, text } of stored.rows.values())
      if ((JSON.parse(text) as TaskState).schedule?.strategy === 'cron')
        void door.ask({ tenantId, taskId, caller: ROOT, key: `end of ${taskId} at ${scheduler.now}`, type: 'CancelTask', body: {} });
  }

  /** Nothing is under way and nothing will be due. Waiting tasks may go on waiting, but have looked once more. */
  function unquiet(): string[] {
    const behind = group.committed.flatMap((next, partition) =>
      next === log.records(TOPICS.work, partition).length ? [] : [`partition ${partition} is decided up to ${next}`],
    );
    const due = [...stored.rows.values()].flatMap(({ key, wakeAt, wakeKind }) =>
      wakeAt === null || wakeKind === 'check' ? [] : [`${key} is due (${wakeKind}) at ${new Date(wakeAt).toISOString()}`],
    );
    return [
      ...(door.open > 0 ? [`${door.open} requests are open`] : []),
      ...(executors.busy > 0 ? ['executors are busy'] : []),
      ...behind,
      ...due,
    ];
  }

  async function untilQuiet(forMs: number): Promise<void> {
    const longest = scheduler.now + LONGEST_QUIET_MS;
    for (let quietSince = Number.POSITIVE_INFINITY; ; ) {
      const next = scheduler.now + LOOK_EVERY_MS;
      if (door.open === 0) endRecurring();
      await scheduler.run(() => scheduler.now >= next);
      if (scheduler.steps >= MOST_STEPS) return report(`${MOST_STEPS} steps, and no end`);
      if (unquiet().length > 0) quietSince = Number.POSITIVE_INFINITY;
      else quietSince = Math.min(quietSince, scheduler.now);
      if (scheduler.now - quietSince >= forMs) return;
      if (scheduler.now > longest || found.length > 0) {
        if (found.length === 0) report(`not quiet ${LONGEST_QUIET_MS / 1_000} s after the last fault: ${unquiet().join('; ')}`);
        return;
      }
    }
  }
}
