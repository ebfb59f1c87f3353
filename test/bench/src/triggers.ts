import { closedLoop, now, openLoop, type Percentiles, percentiles, perSecond } from './load.ts';
import { batchesOf, completionsStored } from './metrics.ts';
import { STANDALONE, type Subject, startSubject } from './subject.ts';
import { overHttp } from './systems/retrigger.ts';
import { startTarget } from './target.ts';

const IN_FLIGHT = 64;
const WARM_UP = 1_000;
/** A rate that a system can hold: this share of the most that it took. */
const SUSTAINED = 0.7;

export type TriggerFigures = {
  createdPerSecond: number;
  /** Nothing behind them: the tasks wait for an executor that does not come. */
  acceptedPerSecond: number;
  /** Mean commands in a batch of the worker meanwhile. */
  batchSize: number;
  /** Milliseconds to the answer at 200/s and at 70 % of `acceptedPerSecond`, from the intended send time. */
  acceptMs: Percentiles;
  sustained: { ratePerSecond: number; acceptMs: Percentiles };
  targets: {
    acceptedPerSecond: number;
    completedPerSecond: number;
    acceptMs: Percentiles;
    startMs: Percentiles;
    callsThatWereNotTheFirst: number;
  };
};

/** The embedded profile over HTTP, full audit on. Every trigger has a task and an idempotency key of its own (a running task refuses a second trigger). */
export async function measureTriggers(count: number, rate: number, seconds: number): Promise<TriggerFigures> {
  const startedAt = new Map<string, number>();
  let calls = 0;
  const target = await startTarget((taskId, at) => {
    calls++;
    if (!startedAt.has(taskId)) startedAt.set(taskId, at);
  });
  const subject = await startSubject(STANDALONE, IN_FLIGHT);
  const { register, trigger } = overHttp(subject);
  try {
    await createCalled(subject, 'warm', WARM_UP, target.url);
    await closedLoop(WARM_UP, IN_FLIGHT, (i) => trigger(`warm-${i}`));
    await completionsStored(subject, WARM_UP);

    const creating = now();
    await register('plain', count);
    const createMs = now() - creating;
    const before = await batchesOf(subject);
    const acceptedPerSecond = perSecond(count, await closedLoop(count, IN_FLIGHT, (i) => trigger(`plain-${i}`)));
    const after = await batchesOf(subject);

    await register('timed', rate * seconds);
    const acceptMs = percentiles(await openLoop(rate, rate * seconds, (i) => trigger(`timed-${i}`)));
    const ratePerSecond = Math.round(SUSTAINED * acceptedPerSecond);
    await register('sustained', ratePerSecond * seconds);
    const sustained = await openLoop(ratePerSecond, ratePerSecond * seconds, (i) => trigger(`sustained-${i}`));

    await createCalled(subject, 'called', count, target.url);
    const from = now();
    const calledMs = await closedLoop(count, IN_FLIGHT, (i) => trigger(`called-${i}`));
    await completionsStored(subject, WARM_UP + count);
    const completeMs = now() - from;

    await createCalled(subject, 'paced', rate * seconds, target.url);
    const intended = new Map<string, number>();
    const paced = await openLoop(rate, rate * seconds, (i, at) => {
      intended.set(`paced-${i}`, at);
      return trigger(`paced-${i}`);
    });
    await completionsStored(subject, WARM_UP + count + rate * seconds);
    return {
      createdPerSecond: perSecond(count, createMs),
      acceptedPerSecond,
      batchSize: (after.records - before.records) / (after.batches - before.batches),
      acceptMs,
      sustained: { ratePerSecond, acceptMs: percentiles(sustained) },
      targets: {
        acceptedPerSecond: perSecond(count, calledMs),
        completedPerSecond: perSecond(count, completeMs),
        acceptMs: percentiles(paced),
        startMs: percentiles([...intended].map(([taskId, at]) => (startedAt.get(taskId) ?? Number.NaN) - at)),
        callsThatWereNotTheFirst: calls - startedAt.size,
      },
    };
  } finally {
    await subject.stop();
    target.stop();
  }
}

const createCalled = (subject: Subject, name: string, count: number, url: string): Promise<number> =>
  closedLoop(count, IN_FLIGHT, async (i) => {
    const body = { taskId: `${name}-${i}`, type: 'bench', context: { filler: 'x'.repeat(100) }, target: { url } };
    const { status, text } = await subject.post('/api/v1/tasks', JSON.stringify(body));
    if (status !== 201) throw new Error(`${status}: ${text}`);
  });
