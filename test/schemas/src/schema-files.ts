import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type avro from 'avsc';

const SCHEMAS = join(import.meta.dirname, '../../../schemas');

/** A record of a version that was written once, and never changes: its Avro body and what must be read from it. */
export type Golden = { subject: string; version: number; avro: string; record: { [field: string]: unknown } };

const read = (path: string): string => readFileSync(join(SCHEMAS, path), 'utf8');
const versionOf = (path: string): number => Number(/\.v(\d+)\.\w+$/.exec(path)?.[1]);

export const subjects = (): string[] => globSync('*.avsc', { cwd: SCHEMAS }).map((path) => path.replace(/\.avsc$/, ''));

export const currentSchema = (subject: string): avro.Schema => JSON.parse(read(`${subject}.avsc`));

/** Every version that was ever written, the oldest first. */
export const schemaHistory = (subject: string): avro.Schema[] =>
  globSync(`history/${subject}.v*.avsc`, { cwd: SCHEMAS })
    .sort((a, b) => versionOf(a) - versionOf(b))
    .map((path) => JSON.parse(read(path)));

/** Golden records, the oldest first. */
export const goldenRecords = (subject: string): Golden[] =>
  globSync(`golden/${subject}.v*.json`, { cwd: SCHEMAS })
    .sort((a, b) => versionOf(a) - versionOf(b))
    .map((path) => ({ subject, version: versionOf(path), ...JSON.parse(read(path)) }));
