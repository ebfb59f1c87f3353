import { busiestWorker } from './busiest-worker.ts';
import type { Numbers } from './numbers.ts';
import { type Plan, planFor, storageFor } from './plan.ts';
import { commandsByPartition, hottest, hottestCell, keyOfTask, keyOfTenant, tenantShares } from './skew.ts';
import { percentile, timesWith } from './worker-queue.ts';

export const RATES = [10_000, 1_000_000] as const;
const TASKS = 10e9;

const row = (...cells: (string | number)[]): string => `| ${cells.join(' | ')} |\n`;
const head = (...cells: string[]): string => row(...cells) + row(...cells.map(() => '---'));
const whole = (value: number): string => Math.round(value).toLocaleString('en-US');
const times = (value: number): string => `${value.toFixed(2)} x`;

/** How many of everything. */
export function planBlock(numbers: Numbers): string {
  const plans = RATES.map((rate) => planFor(numbers, rate));
  const line = (what: string, of: (plan: Plan) => number | string) => row(what, ...plans.map((plan) => of(plan)));
  return (
    head('commands per second', ...RATES.map(whole)) +
    line('cells', ({ cells }) => cells) +
    line('commands per second of a cell', ({ commandsPerSecond }) => whole(commandsPerSecond)) +
    line('gateways of a cell', ({ gateways }) => gateways) +
    line('workers of a cell', ({ workers }) => workers) +
    line('dispatchers of a cell', ({ dispatchers }) => dispatchers) +
    line('partitions of its work log and of its events', ({ partitions }) => partitions) +
    line('Kafka brokers of a cell', ({ brokers }) => brokers) +
    line('store shards of a cell, for the writes', ({ shards }) => shards) +
    line('cores of its Redis', ({ redisCores }) => redisCores)
  );
}

/** What 10 billion tasks take. */
export function storageBlock(numbers: Numbers): string {
  const storages = RATES.map((rate) => storageFor(numbers, TASKS, rate));
  return (
    head('10 billion tasks, at commands per second', ...RATES.map(whole)) +
    row('events and snapshots on one replica, TB', ...storages.map(({ terabytes }) => whole(terabytes))) +
    row('receipts of a day on one replica, GB', ...storages.map(({ receiptGigabytesPerDay }) => whole(receiptGigabytesPerDay))) +
    row('store shards over all cells, for the bytes', ...storages.map(({ shards }) => whole(shards)))
  );
}

/** How unequal it gets. */
export function skewBlock(numbers: Numbers): string {
  const cases = RATES.map((rate) => {
    const plan = planFor(numbers, rate);
    const { cells, commandsPerSecond, partitions } = plan;
    const counts = commandsByPartition(numbers.tenants, partitions, keyOfTask, 1);
    return [
      whole((tenantShares(numbers.tenants)[0] ?? 0) * cells * commandsPerSecond),
      times(hottestCell(numbers.tenants, cells)),
      times(hottest(counts)),
      times(hottest(commandsByPartition(numbers.tenants, partitions, keyOfTenant, 1))),
      ...[0, 1].flatMap((lost) => {
        const load = busiestWorker(numbers, plan, counts, lost);
        const sorted = timesWith(load, 1);
        return [`${Math.round(100 * load.coreShare)} %`, `${whole(percentile(sorted, 0.5))} / ${whole(percentile(sorted, 0.95))}`];
      }),
    ];
  });
  const lines = [
    'largest tenant, commands per second',
    'busiest cell, of the mean',
    'busiest partition, of the mean, key = tenant/task',
    'the same if the key were the tenant',
    'busiest worker, of its core',
    'time of a command with it, P50 / P95 ms',
    'busiest worker after one was lost, of its core',
    'time of a command with it, P50 / P95 ms',
  ];
  return (
    head('commands per second', ...RATES.map(whole)) + lines.map((what, i) => row(what, ...cases.map((cells) => cells[i] ?? ''))).join('')
  );
}

export const BLOCKS: { [name: string]: (numbers: Numbers) => string } = { plan: planBlock, storage: storageBlock, skew: skewBlock };
