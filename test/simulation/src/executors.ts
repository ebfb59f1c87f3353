import type { Event } from '@retrigger/domain/event.ts';
import { taskKey } from '@retrigger/domain/identifiers.ts';
import type { TaskCommandBody } from '@retrigger/domain/task/commands.ts';
import { TOPICS } from '@retrigger/ports/log.ts';
import type { Call } from '@retrigger/test-history/recorded.ts';
import type { Chance } from './chance.ts';
import type { Caller, Door } from './door.ts';
import type { Scheduler } from './scheduler.ts';
import type { WorkLog } from './work-log.ts';

const EXECUTOR: Caller = { id: 'runner', type: 'executor', roles: ['executor'] };
const RIVAL: Caller = { ...EXECUTOR, id: 'rival' };
const BEAT_MS = 15_000;

const MANNERS = { brief: 8, started: 8, failing: 5, long: 3, silent: 1, absent: 1, late: 2, twice: 2, claimed: 3 };

/** Those who run what was triggered: they hear of it on the events topic and report, too late and twice sometimes. */
export class Executors {
  readonly calls: Call[] = [];
  /** Executions on which somebody still works or will report. */
  busy = 0;
  /** Executions that were never silent for as long as it takes to be given up, by the time of each report's append. */
  readonly beating = new Set<string>();
  readonly #heard = new Set<string>();
  readonly #scheduler: Scheduler;
  readonly #chance: Chance;
  readonly #door: Door;
  /** What was claimed by before. */
  readonly #wishes: string[] = [];

  constructor(scheduler: Scheduler, chance: Chance, log: WorkLog, door: Door) {
    this.#scheduler = scheduler;
    this.#chance = chance;
    this.#door = door;
    log.onAppended((topic, partition) => {
      if (topic === TOPICS.events) this.#hear(log.records(topic, partition).at(-1)?.value);
    });
  }

  #hear(value: Uint8Array | undefined): void {
    const text = Buffer.from(value ?? []).toString();
    if (!text.includes('"TaskTriggered"')) return;
    const event = JSON.parse(text) as Event;
    if (event.eventType !== 'TaskTriggered' || this.#heard.has(event.eventId)) return;
    this.#heard.add(event.eventId);
    const executionId = String(event.metadata.executionId);
    this.calls.push({ key: taskKey(event.tenantId, event.taskId), executionId });
    this.busy++;
    void this.#run(event, executionId).finally(() => this.busy--);
  }

  async #run(event: Event, executionId: string): Promise<void> {
    const { tenantId, taskId } = event;
    const [chance, sleep] = [this.#chance, (ms: number) => this.#scheduler.sleep(chance.between(0, ms))];
    let reports = 0;
    const report = (body: TaskCommandBody, key = `${executionId}/${++reports}`) =>
      this.#door.ask({ tenantId, taskId, caller: EXECUTOR, key, ...body });
    const start = () => report({ type: 'StartExecution', body: { executionId } });
    const complete = (key?: string) =>
      report({ type: 'CompleteExecution', body: { executionId, result: { ok: chance.is(0.6), n: reports } } }, key);
    const error = { code: 'boom', message: 'it went wrong' };
    const fail = () => report({ type: 'FailExecution', body: { executionId, error, retryable: chance.is(0.8) } });
    await sleep(2_000);
    switch (chance.weighted(MANNERS)) {
      case 'brief':
        return void (await complete());
      case 'started':
        await start();
        await sleep(8_000);
        return void (await complete());
      case 'failing':
        if (chance.is(0.5)) await start();
        await sleep(4_000);
        return void (await fail());
      case 'long':
        return this.#beat(executionId, report, start, complete);
      case 'silent':
        return void (await start());
      case 'claimed':
        return this.#claim(event, executionId);
      case 'absent':
        return;
      case 'late':
        await start();
        await this.#scheduler.sleep(chance.between(20_000, 100_000));
        return void (await complete());
      case 'twice':
        await start();
        await Promise.all([complete(), complete(), chance.is(0.5) ? fail() : start()]);
        return void (await complete());
    }
  }

  /**
   * Two claim it, one of them sometimes by what they have been given something for before; whoever gets it completes it, and the other one tries to.
   */
  async #claim({ tenantId, taskId }: Event, executionId: string): Promise<void> {
    const claim = (caller: Caller) => {
      const old = this.#chance.is(0.3) ? this.#wishes.shift() : undefined;
      const wish = old ?? `${caller.id}-${executionId}`;
      if (old === undefined) this.#wishes.push(wish);
      return this.#door.ask({
        tenantId,
        taskId,
        caller,
        key: `claim/${caller.id}/${executionId}`,
        type: 'ClaimExecution',
        body: { claim: wish },
      });
    };
    const report = (caller: Caller) =>
      this.#door.ask({
        tenantId,
        taskId,
        caller,
        key: `end/${caller.id}/${executionId}`,
        type: 'CompleteExecution',
        body: { executionId },
      });
    const [mine, theirs] = await Promise.all([claim(EXECUTOR), claim(RIVAL)]);
    await this.#scheduler.sleep(this.#chance.between(0, 8_000));
    const isOf = (outcome: typeof mine) => outcome.kind === 'accepted' && outcome.answer.executionId === executionId;
    if (isOf(theirs)) await Promise.all([report(RIVAL), report(EXECUTOR)]);
    else if (isOf(mine)) await Promise.all([report(EXECUTOR), report(RIVAL)]);
  }

  /** A long run whose executor is never silent for long. */
  async #beat(
    executionId: string,
    report: (body: TaskCommandBody) => Promise<unknown>,
    start: () => Promise<unknown>,
    complete: () => Promise<unknown>,
  ) {
    this.beating.add(executionId);
    void start();
    for (let beats = this.#chance.between(3, 9); beats > 0; beats--) {
      await this.#scheduler.sleep(BEAT_MS);
      void report({ type: 'HeartbeatExecution', body: { executionId } }); // the next one does not wait for this one's answer
    }
    await complete();
  }
}
