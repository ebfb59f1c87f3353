import { join } from 'node:path';
import { closedLoop, now, openLoop, type Percentiles, percentiles, perSecond } from './load.ts';
import { type Subject, startSubject } from './subject.ts';
import { startTarget } from './target.ts';

const STANDALONE = join(import.meta.dirname, '../../../services/standalone/src/main.ts');
const IN_FLIGHT = 64;
const WARM_UP = 1_000;

export type TriggerFigures = {
  createdPerSecond: number;
  acceptedPerSecond: number;
  acceptedAndCalledPerSecond: number;
  completedPerSecond: number;
  acceptMs: Percentiles;
  startMs: Percentiles;
  duplicateCalls: number;
};

/**
 * The embedded profile over HTTP, full audit on. Every trigger has a task and an idempotency key of its own (a running task refuses a second trigger).
 * accepted/s: triggers whose answer came, without targets. completed/s: the same with an HTTP target each, until the last Completed is stored.
 */
export async function measureTriggers(count: number, perSecondRate: number, seconds: number): Promise<TriggerFigures> {
  const startedAt = new Map<string, number>();
  let calls = 0;
  const target = await startTarget((taskId, at) => {
    calls++;
    if (!startedAt.has(taskId)) startedAt.set(taskId, at);
  });
  const subject = await startSubject(STANDALONE, IN_FLIGHT);
  try {
    await create(subject, 'warm', WARM_UP, target.url);
    await closedLoop(WARM_UP, IN_FLIGHT, (i) => trigger(subject, `warm-${i}`));
    await completed(subject, WARM_UP);

    const createMs = await create(subject, 'plain', count, null);
    const acceptMs = await closedLoop(count, IN_FLIGHT, (i) => trigger(subject, `plain-${i}`));

    await create(subject, 'called', count, target.url);
    const from = now();
    const calledMs = await closedLoop(count, IN_FLIGHT, (i) => trigger(subject, `called-${i}`));
    await completed(subject, WARM_UP + count);
    const completeMs = now() - from;

    const timed = perSecondRate * seconds;
    await create(subject, 'timed', timed, target.url);
    const intended = new Map<string, number>();
    const accept = await openLoop(perSecondRate, timed, (i) => {
      intended.set(`timed-${i}`, now());
      return trigger(subject, `timed-${i}`);
    });
    await completed(subject, WARM_UP + count + timed);
    const start = [...intended].map(([taskId, at]) => (startedAt.get(taskId) ?? Number.NaN) - at);
    return {
      createdPerSecond: perSecond(count, createMs),
      acceptedPerSecond: perSecond(count, acceptMs),
      acceptedAndCalledPerSecond: perSecond(count, calledMs),
      completedPerSecond: perSecond(count, completeMs),
      acceptMs: percentiles(accept),
      startMs: percentiles(start),
      duplicateCalls: calls - (WARM_UP + count + timed),
    };
  } finally {
    await subject.stop();
    target.stop();
  }
}

const create = (subject: Subject, name: string, count: number, url: string | null): Promise<number> =>
  closedLoop(count, IN_FLIGHT, async (i) => {
    const target = url === null ? {} : { target: { url } };
    expectStatus(
      201,
      await subject.post(
        '/api/v1/tasks',
        JSON.stringify({ taskId: `${name}-${i}`, type: 'bench', context: { x: 'x'.repeat(100) }, ...target }),
      ),
    );
  });

async function trigger(subject: Subject, taskId: string): Promise<void> {
  expectStatus(202, await subject.post(`/api/v1/tasks/${taskId}/trigger`, '{"triggerReason":"bench"}', { 'idempotency-key': taskId }));
}

function expectStatus(status: number, reply: { status: number; text: string }): void {
  if (reply.status !== status || reply.text.includes('"state":"pending"')) throw new Error(`${reply.status}: ${reply.text}`);
}

/** Until so many completions are stored, as the metrics count them. */
async function completed(subject: Subject, count: number): Promise<void> {
  for (const end = now() + 120_000; now() < end; ) {
    const stored = /events_total\{[^}]*type="TaskCompleted"[^}]*\} (\d+)/.exec(await subject.get('/metrics'))?.[1];
    if (Number(stored) >= count) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`not ${count} completions within two minutes`);
}
