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
const BEAT_MS = 15_000;

const MANNERS = { brief: 8, started: 8, failing: 5, long: 3, silent: 1, absent: 1, late: 2, twice: 2 };

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

  async #run({ tenantId, taskId }: Event, executionId: string): Promise<void> {
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
