import type { Numbers } from './numbers.ts';

export type Plan = {
  cells: number;
  /** The rest is of one cell. */
  commandsPerSecond: number;
  gateways: number;
  workers: number;
  dispatchers: number;
  partitions: number;
  brokers: number;
  shards: number;
  redisCores: number;
};

/** Event, receipt and snapshot. */
const WRITES_PER_COMMAND = 3;
/** So that workers have nearly the same number, also when one is lost. */
const PARTITIONS_PER_WORKER = 6;
const FEWEST_PARTITIONS = 64;
const FEWEST_BROKERS = 3;

/** How many of everything for a rate, each process being one core. What a cell takes is bounded, so that what is lost with one is bounded too. */
export function planFor(numbers: Numbers, total: number): Plan {
  const cells = Math.ceil(total / numbers.cellCommands);
  const rate = total / cells;
  const share = numbers.coreShare / 100;
  const processes = (micros: number, perSecond: number) => Math.max(2, Math.ceil((perSecond * micros) / 1e6 / share));
  const workers = processes(numbers.workerMicros, rate);
  const byBytes = (rate * numbers.logBytes * numbers.replicas) / 1e6 / numbers.brokerMegabytes;
  const byCores = (rate * numbers.kafkaMicros * numbers.replicas) / 1e6 / share / numbers.brokerCores;
  return {
    cells,
    commandsPerSecond: rate,
    gateways: processes(numbers.gatewayMicros, rate),
    workers,
    dispatchers: processes(numbers.dispatcherMicros, (rate * numbers.callShare) / 100),
    partitions: Math.max(FEWEST_PARTITIONS, 2 ** Math.ceil(Math.log2(workers * PARTITIONS_PER_WORKER))),
    brokers: Math.max(FEWEST_BROKERS, Math.ceil(Math.max(byBytes, byCores))),
    shards: Math.ceil((rate * WRITES_PER_COMMAND) / numbers.shardWrites / share),
    redisCores: Math.ceil((10 * rate * numbers.redisMicros) / 1e6 / share) / 10,
  };
}

export type Storage = { terabytes: number; shards: number; receiptGigabytesPerDay: number };

/** What so many tasks take on one replica, events and snapshot; receipts go after a day. */
export function storageFor(numbers: Numbers, tasks: number, commandsPerSecond: number): Storage {
  const terabytes = (tasks * (numbers.eventsPerTask * numbers.eventBytes + numbers.snapshotBytes)) / 1e12;
  const receiptGigabytesPerDay = (86_400 * commandsPerSecond * numbers.receiptBytes) / 1e9;
  return { terabytes, shards: Math.ceil((terabytes + receiptGigabytesPerDay / 1e3) / numbers.shardTerabytes), receiptGigabytesPerDay };
}
