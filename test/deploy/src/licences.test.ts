import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fileAt } from './deployment.ts';

type Locked = { license?: string; dev?: boolean; link?: boolean; version?: string };
const packages: { [path: string]: Locked } = JSON.parse(fileAt('package-lock.json')).packages;
const foreign = Object.entries(packages).filter(([path, { link }]) => path.includes('node_modules/') && link !== true);
const own = Object.entries(packages).filter(([path]) => path !== '' && !path.includes('node_modules/'));

/** What may be in a program that is given away under Apache-2.0 without asking anybody to open theirs. */
const ALLOWED = new Set([
  'MIT',
  'MIT-0',
  'Apache-2.0',
  'ISC',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'BlueOak-1.0.0',
  'CC0-1.0',
  'Unlicense',
]);
/** Besides those, in tools that are never given away. */
const ALLOWED_IN_TOOLS = new Set(['MPL-2.0']);
/** Packages whose package.json names no licence, with the one in their own licence file. */
const BY_FILE: { [name: string]: { file: string; license: string; words: RegExp } } = {
  '@kafkajs/confluent-schema-registry': { file: 'LICENSE', license: 'MIT', words: /^MIT License/ },
};

const nameOf = (path: string): string => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
const licenceOf = (path: string, { license }: Locked): string => license ?? BY_FILE[nameOf(path)]?.license ?? 'none';
const isAllowed = (licence: string, allowed: Set<string>): boolean =>
  licence.split(' OR ').some((one) => allowed.has(one.replaceAll(/[()]/g, '')));

describe('licences', () => {
  test('of everything that is installed with the product may be passed on under ours', () => {
    const wrong = foreign.flatMap(([path, locked]) => {
      const licence = licenceOf(path, locked);
      return isAllowed(licence, ALLOWED) || (locked.dev === true && isAllowed(licence, ALLOWED_IN_TOOLS))
        ? []
        : [`${nameOf(path)}: ${licence}`];
    });
    expect(wrong).toEqual([]);
    expect(foreign.length, 'the lock file is read').toBeGreaterThan(100);
  });

  test.each(Object.entries(BY_FILE))('%s has the licence that is assumed', (name, { file, words }) => {
    const path = `node_modules/${name}/${file}`;
    expect(existsSync(join(import.meta.dirname, '../../..', path))).toBe(true);
    expect(fileAt(path)).toMatch(words);
  });

  test('of our own packages is that of the project', () => {
    expect(fileAt('LICENSE')).toContain('Apache License');
    for (const [path] of own) expect([path, JSON.parse(fileAt(`${path}/package.json`)).license]).toEqual([path, 'Apache-2.0']);
  });

  test('the check refuses what it must', () => {
    for (const licence of ['GPL-3.0', 'AGPL-3.0-only', 'SSPL-1.0', 'BUSL-1.1', 'none']) expect(isAllowed(licence, ALLOWED)).toBe(false);
    expect(isAllowed('(MIT OR GPL-3.0)', ALLOWED)).toBe(true);
    expect(isAllowed('MPL-2.0', ALLOWED)).toBe(false);
  });
});
