import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '../../..');

export type Source = { path: string; text: string; lines: number };

/** Every source file of the project that people read, with its path from the root. */
export function sources(): Source[] {
  return globSync(['{services,shared,test}/*/src/**/*.ts', 'shared/*/examples/**/*.ts', 'deploy/**/*.{ts,mjs,sh}'], {
    cwd: ROOT,
    exclude: (path) => path === 'node_modules',
  }).map((path) => {
    const text = readFileSync(join(ROOT, path), 'utf8');
    return { path, text, lines: text.trimEnd().split('\n').length };
  });
}

/** What a file imports, as written. */
export const importsOf = ({ text }: Source): string[] =>
  [...text.matchAll(/^\s*(?:import|export)\b[^'"]*?from\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm)].map(
    (m) => m[1] ?? m[2] ?? '',
  );

/** What it imports at run time: types leave no trace. */
export const valueImportsOf = ({ path, text, lines }: Source): string[] =>
  importsOf({ path, lines, text: text.replaceAll(/^import type [^;]*;/gm, '') });

/** `shared/engine`, `services/gateway`, `test/faults`, … */
export const workspaceOf = (path: string): string => path.split('/').slice(0, 2).join('/');
