import { expect, test } from 'vitest';
import { importsOf, type Source, sources, valueImportsOf, workspaceOf } from './sources.ts';

const all = sources();
const product = all.filter(({ path }) => path.startsWith('services/') || path.startsWith('shared/'));

/** Which of our own packages each layer may import: always downwards. */
const ADAPTERS = ['sqlite', 'memory', 'kafka', 'mongo', 'redis', 'delivery', 'files'];
const BASE = ['domain', 'ports'];
const MAY_IMPORT: Record<string, string[]> = {
  'shared/domain': [],
  'shared/ports': ['domain'],
  'shared/contract': ['domain'],
  'shared/lifecycle': ['ports'],
  'shared/config': BASE,
  'shared/telemetry': BASE,
  'shared/client': ['domain', 'contract'],
  'shared/engine': BASE,
  ...Object.fromEntries(ADAPTERS.map((name) => [`shared/${name}`, BASE])),
  'shared/kafka': [...BASE, 'contract'],
};

const own = (names: string[]): string[] => names.flatMap((name) => /^@retrigger\/([a-z-]+)\//.exec(name)?.[1] ?? []);
const ownImports = (source: Source): string[] => own(importsOf(source));

test('imports point down only', () => {
  const wrong = product.flatMap((source) => {
    const allowed = MAY_IMPORT[workspaceOf(source.path)];
    if (allowed === undefined && !source.path.startsWith('services/')) return [`${source.path}: this package has no place in the layers`];
    return ownImports(source).flatMap((name) =>
      allowed === undefined || allowed.includes(name) ? [] : [`${source.path} imports ${name}`],
    );
  });
  expect(wrong).toEqual([]);
});

test('a service picks its adapters in compose.ts only', () => {
  const wrong = product
    .filter(({ path }) => path.startsWith('services/') && !path.endsWith('/compose.ts'))
    .flatMap((source) =>
      own(valueImportsOf(source)).flatMap((name) =>
        ['sqlite', 'memory', 'kafka', 'mongo', 'redis'].includes(name) ? [`${source.path} imports ${name}`] : [],
      ),
    );
  expect(wrong).toEqual([]);
});

test('no import leaves its package by a relative path', () => {
  const wrong = all.flatMap((source) =>
    importsOf(source).flatMap((name) => (/^(\.\.\/)+(services|shared|test)\//.test(name) ? [`${source.path}: ${name}`] : [])),
  );
  expect(wrong).toEqual([]);
});

test('no file is longer than 250 lines', () => {
  expect(all.filter(({ lines }) => lines > 250).map(({ path, lines }) => `${path}: ${lines}`)).toEqual([]);
});

test('time and chance come in as arguments below the composition', () => {
  const pure = [
    'shared/domain',
    'shared/ports',
    'shared/engine',
    'shared/contract',
    'shared/sqlite',
    'shared/kafka',
    'shared/mongo',
    'shared/redis',
  ];
  const wrong = product.filter(
    ({ path, text }) =>
      pure.includes(workspaceOf(path)) && /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\brandomUUID\(|\brandomBytes\(/.test(text),
  );
  expect(wrong.map(({ path }) => path)).toEqual([]);
});

test('the environment is read in one place', () => {
  const wrong = product.filter(({ path, text }) => /process\.env\b/.test(text) && !/^shared\/config\/|\/main\.ts$/.test(path));
  expect(wrong.map(({ path }) => path)).toEqual([]);
});

test('no file is a drawer or a barrel', () => {
  const drawers = all.filter(({ path }) => /(^|\/)(utils?|helpers?|common|manager|misc|index)\b[^/]*\.ts$/.test(path));
  const barrels = all.filter(
    ({ text }) =>
      text.trim() !== '' &&
      text
        .replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')
        .trim()
        .split('\n')
        .every((line) => /^export\b.*\bfrom\b|^$/.test(line.trim())),
  );
  expect([...drawers, ...barrels].map(({ path }) => path)).toEqual([]);
});

test('no test is left out and no type is silenced', () => {
  const marks = /\b(it|test|describe)\.(skip|only|todo)\b|\bas any\s*[;,)\]}>]|@ts-(ignore|expect-error|nocheck)|biome-ignore/;
  const wrong = all.filter(({ path, text }) => marks.test(text) && !path.startsWith('test/architecture/'));
  expect(wrong.map(({ path }) => path)).toEqual([]);
});
