import { median } from './load.ts';

/** Figures by name, nested or not. */
export type Figures = { [name: string]: number | string | Figures };

/** `{a: {b: 1}}` as `[['a.b', 1]]`. */
export function flat(figures: Figures, prefix = ''): [name: string, value: number | string][] {
  return Object.entries(figures).flatMap(([name, value]) =>
    typeof value === 'object' ? flat(value, `${prefix}${name}.`) : [[prefix + name, value] as [string, number | string]],
  );
}

/** The median of each figure over several runs; of texts the first. */
export function medians(runs: Figures[]): Map<string, number | string> {
  const all = new Map<string, (number | string)[]>();
  for (const [name, value] of runs.flatMap((run) => flat(run))) all.set(name, [...(all.get(name) ?? []), value]);
  return new Map(
    [...all].map(([name, values]) => {
      const numbers = values.filter((value) => typeof value === 'number');
      return [name, numbers.length > 0 ? median(numbers) : (values[0] ?? '')];
    }),
  );
}

export const shown = (value: number | string | undefined): string =>
  value === undefined
    ? ''
    : typeof value === 'string'
      ? value
      : Math.abs(value) >= 100
        ? String(Math.round(value))
        : String(Math.round(value * 10) / 10);

/** Lines of a plain table: the first column to the left, the others to the right, as wide as they must be. */
export function table(rows: string[][]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const line = (row: string[]) =>
    widths
      .map((width, column) => (column === 0 ? (row[0] ?? '').padEnd(width) : (row[column] ?? '').padStart(width)))
      .join('  ')
      .trimEnd();
  return `${rows.map(line).join('\n')}\n`;
}
