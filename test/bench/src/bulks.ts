import { closedLoop, now, openLoop, type Percentiles, percentiles } from './load.ts';
import { STANDALONE, type Subject, startSubject } from './subject.ts';

const IN_FLIGHT = 64;
const SMALL = 100;
const LARGE = 1_000;

export type BulkFigures = {
  /** One bulk of 100 at a time at an idle system, request to answer. */
  bestEffortMs: Percentiles;
  allOrNothingMs: Percentiles;
  /** Single triggers, request to durable decision, without and beside bulks of 1,000 of all or nothing, one after the other. */
  singleMs: Percentiles;
  singleBesideBulksMs: Percentiles;
  /** One bulk of 1,000 of all or nothing beside those triggers. */
  largeMs: Percentiles;
};

/** The embedded profile over HTTP. Every bulk has tasks of its own. */
export async function measureBulks(bulks: number, perSecondRate: number, seconds: number): Promise<BulkFigures> {
  const subject = await startSubject(STANDALONE, IN_FLIGHT);
  try {
    await small(subject, 'warm', 20, true);
    const bestEffortMs = await small(subject, 'best', bulks, false);
    const allOrNothingMs = await small(subject, 'all', bulks, true);
    const count = perSecondRate * seconds;
    await create(subject, 'alone', count);
    const singleMs = percentiles(await openLoop(perSecondRate, count, (i) => trigger(subject, `alone-${i}`)));
    await create(subject, 'beside', count);
    const large = Array.from({ length: seconds * 2 }, (_, i) => `large-${i}`);
    for (const name of large) await create(subject, name, LARGE);
    let isOver = false;
    const beside = openLoop(perSecondRate, count, (i) => trigger(subject, `beside-${i}`)).finally(() => {
      isOver = true;
    });
    const largeMs: number[] = [];
    for (const name of large) if (!isOver) largeMs.push(await timed(() => bulk(subject, name, LARGE, true)));
    return { bestEffortMs, allOrNothingMs, singleMs, singleBesideBulksMs: percentiles(await beside), largeMs: percentiles(largeMs) };
  } finally {
    await subject.stop();
  }
}

async function small(subject: Subject, name: string, bulks: number, allOrNothing: boolean): Promise<Percentiles> {
  for (let i = 0; i < bulks; i++) await create(subject, `${name}-${i}`, SMALL);
  const latencies: number[] = [];
  for (let i = 0; i < bulks; i++) latencies.push(await timed(() => bulk(subject, `${name}-${i}`, SMALL, allOrNothing)));
  return percentiles(latencies);
}

async function timed(call: () => Promise<void>): Promise<number> {
  const startedAt = now();
  await call();
  return now() - startedAt;
}

const create = (subject: Subject, name: string, count: number): Promise<number> =>
  closedLoop(count, IN_FLIGHT, async (i) => {
    const { status, text } = await subject.post('/api/v1/tasks', JSON.stringify({ taskId: `${name}-${i}`, type: 'bench' }));
    if (status !== 201) throw new Error(`${status}: ${text}`);
  });

async function bulk(subject: Subject, name: string, count: number, allOrNothing: boolean): Promise<void> {
  const tasks = Array.from({ length: count }, (_, i) => ({ taskId: `${name}-${i}` }));
  const { status, text } = await subject.post('/api/v1/tasks/bulk/trigger', JSON.stringify({ tasks, allOrNothing }), { prefer: 'wait=60' });
  if (status !== 200 || !text.includes(`"accepted":${count}`)) throw new Error(`${status}: ${text.slice(0, 300)}`);
}

async function trigger(subject: Subject, taskId: string): Promise<void> {
  const { status, text } = await subject.post(`/api/v1/tasks/${taskId}/trigger`, '{"triggerReason":"bench"}', { prefer: 'wait=60' });
  if (status !== 202 || text.includes('"state":"pending"')) throw new Error(`${status}: ${text}`);
}
