import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const DOCUMENT = join(import.meta.dirname, '../../../deploy/SCALING.md');

/** What the plan is made of, by the names that the document's two tables of inputs have in their first column. */
const NAMES = {
  gatewayMicros: 'gateway, µs',
  workerMicros: 'worker, µs',
  dispatcherMicros: 'dispatcher, µs a call',
  kafkaMicros: 'Kafka, µs',
  redisMicros: 'Redis, µs',
  batchMs: 'batch besides its records, ms',
  sliceRecords: 'records in a batch at most',
  logBytes: 'log bytes',
  eventBytes: 'event document, bytes',
  receiptBytes: 'receipt document, bytes',
  snapshotBytes: 'snapshot document, bytes',
  coreShare: 'a core is used to, %',
  callShare: 'commands that call a target, %',
  brokerMegabytes: 'a broker takes, MB/s',
  brokerCores: 'a broker has, cores',
  replicas: 'replicas of everything',
  shardWrites: 'a shard takes, documents/s',
  shardTerabytes: 'a shard holds, TB',
  eventsPerTask: 'events of a task',
  cellCommands: 'a cell takes, commands/s',
  tenants: 'tenants',
} as const;

export type Numbers = { [name in keyof typeof NAMES]: number };

export const document = (): string => readFileSync(DOCUMENT, 'utf8');

/** Reads the inputs off the document's tables. @throws when one is missing or no number. */
export function numbersIn(text: string): Numbers {
  const cells = new Map(
    [...text.matchAll(/^\| ([^|]+?) +\| ([\d.,]+) +\|/gm)].map(([, name = '', value = '']) => [name, Number(value.replaceAll(',', ''))]),
  );
  const read = Object.entries(NAMES).map(([name, label]) => {
    const value = cells.get(label);
    if (value === undefined || Number.isNaN(value)) throw new Error(`deploy/SCALING.md has no number for "${label}"`);
    return [name, value];
  });
  return Object.fromEntries(read) as Numbers;
}

/** What stands between `<!-- name -->` and `<!-- /name -->`, which is computed. */
const between = (name: string): RegExp => new RegExp(`(<!-- ${name} -->\n)([\\s\\S]*?)(<!-- /${name} -->)`);

export function blockIn(text: string, name: string): string {
  const block = between(name).exec(text)?.[2];
  if (block === undefined) throw new Error(`deploy/SCALING.md has no block ${name}`);
  return block;
}

export const withBlock = (text: string, name: string, block: string): string =>
  text.replace(between(name), (_, before, __, after) => before + block + after);

export const writeDocument = (text: string): void => writeFileSync(DOCUMENT, text);
