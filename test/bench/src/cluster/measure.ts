import { join } from 'node:path';
import { freePorts, freshInstallation, PARTITIONS } from '@retrigger/test-cluster/installation.ts';
import { closedLoop, now, openLoop, type Percentiles, percentiles, perSecond } from '../load.ts';
import { batchesOf } from '../metrics.ts';
import { KEY, type Subject, startSubject } from '../subject.ts';
import { overHttp } from '../systems/retrigger.ts';
import { startWorkerProcess, until, type WorkerProcess } from '../systems/worker-process.ts';
import { startTarget } from '../target.ts';
import { paced } from '../works/latency.ts';
import { type Costs, costsOf, idleParts, type Parts, partsOf } from './costs.ts';
import { bareDecisions, bareInsert, bareProduce } from './limits.ts';
import { type Sizes as StoredSizes, sizesOf } from './sizes.ts';

const CLUSTER = join(import.meta.dirname, '../../../../services/cluster/src/main.ts');
const IN_FLIGHT = 64;
const WARM_UP = 500;

/** `warmUp`: seconds of load before anything counts: servers in Java are ten times as fast once they are compiled. */
export type Sizes = { count: number; rate: number; seconds: number; warmUp: number };
/** Who runs what is triggered. */
export const BEHIND = ['claims', 'kafka', 'targets'] as const;
export type Behind = (typeof BEHIND)[number];
type Run = { acceptedPerSecond: number; completedPerSecond: number; costs: Costs };
/** `pace`: triggers a second at which the times were taken, the rate or 70 % of the completions. */
type Executed = Run & { pace: number; acceptMs: Percentiles; startMs: Percentiles };
export type ClusterFigures = {
  limits: { producePerSecond: number; insertPerSecond: number; decisionsPerSecond: number; batchSize: number };
  /**
   * Nothing behind them; costs are of one trigger. `batchSize`: records of one partition that are decided at once; the limits' is what batches of several
   * partitions store together. `batchCycleMs`: from one batch of a partition to its next, all partitions busy.
   */
  triggers: { acceptedPerSecond: number; acceptMs: Percentiles; costs: Costs; batchSize: number; batchCycleMs: number };
  sizes: StoredSizes;
  /** By HTTP claims, by Kafka, by HTTP targets; costs are of one trigger and all that its run comes to. */
  claims?: Executed;
  kafka?: Executed;
  targets?: Run;
};

/** One installation of its own on the running cluster: a gateway, a worker, a dispatcher and a notifier. */
export async function measureCluster({ count, rate, seconds, warmUp }: Sizes, behind: readonly string[]): Promise<ClusterFigures> {
  const settings = await freshInstallation();
  const health = await freePorts(3);
  const subject = await startSubject(CLUSTER, IN_FLIGHT, {
    ...settings,
    RETRIGGER_API_KEY: KEY,
    RETRIGGER_HEALTH_PORT: String(health),
  });
  try {
    const worker = { get: async (path: string) => (await fetch(`http://127.0.0.1:${health}${path}`)).text() };
    const { register, trigger } = overHttp(subject, 'plain');
    await until('the first task', () =>
      register('first', 1).then(
        () => true,
        () => false,
      ),
    );
    const warmAt = now() + 1_000 * warmUp;
    for (let round = 0; round === 0 || now() < warmAt; round++) {
      await register(`warm-${round}`, WARM_UP);
      await closedLoop(WARM_UP, IN_FLIGHT, (i) => trigger(`warm-${round}-${i}`));
    }

    await register('plain', count);
    const parts = await idleParts(partsOf(subject.pid, process.env.RETRIGGER_CLUSTER_DIR));
    const before = await batchesOf(worker);
    const writesBefore = await batchesOf(worker, 'write_size_events');
    const alone = await costsOf(parts, count, () => closedLoop(count, IN_FLIGHT, (i) => trigger(`plain-${i}`)));
    const after = await batchesOf(worker);
    const batchSize = Math.max(1, Math.round(meanSize(before, after)));
    const writeSize = Math.max(1, Math.round(meanSize(writesBefore, await batchesOf(worker, 'write_size_events'))));
    await register('timed', rate * seconds);
    const accept = await openLoop(rate, rate * seconds, (i) => trigger(`timed-${i}`));
    const batchCycleMs = (PARTITIONS * alone.result) / (after.batches - before.batches);
    const acceptedPerSecond = perSecond(count, alone.result);
    const triggers = { acceptedPerSecond, acceptMs: percentiles(accept), costs: alone.costs, batchSize, batchCycleMs };

    const urls = {
      url: subject.url,
      brokers: settings.RETRIGGER_KAFKA_BROKERS ?? '',
      registry: settings.RETRIGGER_SCHEMA_REGISTRY_URL ?? '',
    };
    const topic = `${settings.RETRIGGER_KAFKA_PREFIX}retrigger.events`;
    const executed = async (type: string, module: string) => {
      const executor = await startWorkerProcess(module, { ...urls, topic, type });
      try {
        return await measureExecutor(subject, executor, type, parts, { count, rate, seconds });
      } finally {
        await executor.stop();
      }
    };
    const measured: Pick<ClusterFigures, Behind> = {};
    if (behind.includes('claims')) measured.claims = await executed('claimed', 'retrigger');
    if (behind.includes('kafka')) measured.kafka = await executed('consumed', 'kafka-executor');
    if (behind.includes('targets')) measured.targets = await measureTargets(subject, parts, count);
    const [brokers, mongo] = [urls.brokers.split(','), settings.RETRIGGER_MONGODB_URL ?? ''];
    return {
      limits: {
        producePerSecond: await bareProduce(brokers, count, writeSize),
        insertPerSecond: await bareInsert(mongo, count, writeSize),
        decisionsPerSecond: await bareDecisions(mongo, count, writeSize),
        batchSize: writeSize,
      },
      ...{ triggers, ...measured },
      sizes: await sizesOf(mongo, brokers, settings.RETRIGGER_KAFKA_PREFIX, process.env.RETRIGGER_CLUSTER_DIR),
    };
  } finally {
    await subject.stop();
  }
}

type Batches = Awaited<ReturnType<typeof batchesOf>>;

const meanSize = (before: Batches, after: Batches): number => (after.records - before.records) / (after.batches - before.batches);

async function measureExecutor(
  subject: Subject,
  worker: WorkerProcess,
  type: string,
  parts: Parts,
  { count, rate, seconds }: Omit<Sizes, 'warmUp'>,
): Promise<Executed> {
  const calls = { ...overHttp(subject, type), worker };
  const run = (name: string, many: number) => closedLoop(many, IN_FLIGHT, (i) => calls.trigger(`${name}-${i}`));
  await calls.register(`${type}-warm`, WARM_UP);
  await run(`${type}-warm`, WARM_UP);
  await worker.completed(WARM_UP);
  await calls.register(type, count);
  const { result, costs } = await costsOf(parts, count, async () => {
    const from = now();
    const acceptMs = await run(type, count);
    return { acceptMs, completeMs: (await worker.completed(WARM_UP + count)) - from };
  });
  /** What it can't hold would only measure a queue that grows. */
  const pace = Math.max(1, Math.min(rate, perSecond(0.7 * count, result.completeMs)));
  const rates = { acceptedPerSecond: perSecond(count, result.acceptMs), completedPerSecond: perSecond(count, result.completeMs) };
  return { ...rates, costs, pace, ...(await paced(calls, `${type}-paced`, pace, pace * seconds)) };
}

/** A completion is counted when the target was called and the task says Completed. */
async function measureTargets(subject: Subject, parts: Parts, count: number): Promise<Run> {
  const target = await startTarget(() => {});
  const create = async (i: number) => {
    const body = { taskId: `called-${i}`, type: 'called', context: { filler: 'x'.repeat(100) }, target: { url: target.url } };
    const { status, text } = await subject.post('/api/v1/tasks', JSON.stringify(body));
    if (status !== 201) throw new Error(`${status}: ${text}`);
  };
  const completed = async () => (await subject.get('/api/v1/tasks?type=called&status=Running&pageSize=1')).includes('"tasks":[]');
  try {
    await closedLoop(count, IN_FLIGHT, create);
    const { result, costs } = await costsOf(parts, count, async () => {
      const from = now();
      const acceptMs = await closedLoop(count, IN_FLIGHT, (i) => overHttp(subject).trigger(`called-${i}`));
      await until('all completed', completed);
      return { acceptMs, completeMs: now() - from };
    });
    return { acceptedPerSecond: perSecond(count, result.acceptMs), completedPerSecond: perSecond(count, result.completeMs), costs };
  } finally {
    target.stop();
  }
}
