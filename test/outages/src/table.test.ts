import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { OPENAPI_FILE, OUTAGES_FILE } from './files.ts';
import { OPERATIONS, withoutCase } from './operations.ts';
import { outagesText } from './table.ts';

test('the table has a line for every operation of the OpenAPI document, and for no other', () => {
  const { paths } = JSON.parse(readFileSync(OPENAPI_FILE, 'utf8')) as { paths: { [path: string]: object } };
  const described = Object.entries(paths).flatMap(([path, calls]) => Object.keys(calls).map((method) => `${method.toUpperCase()} ${path}`));
  expect([...new Set(Object.keys(OPERATIONS).map(withoutCase))].toSorted()).toEqual(described.toSorted());
});

test('deploy/OUTAGES.md says what the table says', () => {
  expect(readFileSync(OUTAGES_FILE, 'utf8')).toBe(outagesText());
});
