import { goals } from './peers-goals.ts';
import { type Figures, flat, medians, shown, table } from './table.ts';

/** One system at one work in one run: `figures`, or the `error` that it ended with. `machine`: what anybody used of it meanwhile. */
export type Measured = {
  run: number;
  work: string;
  system: string;
  at: string;
  on: object;
  sizes: object;
  about?: { [what: string]: string | number };
  figures?: Figures;
  machine?: { busyPercent: number; load1: number };
  error?: string;
};

/** Medians by work, system and figure. */
export type Medians = (work: string, system: string, figure: string) => number | undefined;

/** Plain tables of medians, a column for each system; then the goals. */
export function report(measured: Measured[]): string {
  const works = [...new Set(measured.map(({ work }) => work))];
  const of = (work: string, system: string) => measured.filter((one) => one.work === work && one.system === system);
  const byWork = new Map(works.map((work) => [work, columnsOf(measured.filter((one) => one.work === work))]));
  const text = works.map((work) => {
    const columns = byWork.get(work) ?? new Map();
    const all = new Set([...columns.values()].flatMap((column) => [...column.keys()]));
    const names = [...all].filter((name) => !name.endsWith('.max')).sort((a, b) => Number(isOfMachine(a)) - Number(isOfMachine(b)));
    const rows = names.map((name) => [name, ...[...columns.values()].map((column) => shown(column.get(name)))]);
    const runs = Math.max(...[...columns.keys()].map((system) => of(work, system).length));
    return `${work}, medians of ${runs} runs\n${table([['', ...columns.keys()], ...rows])}`;
  });
  const failed = measured
    .filter(({ error }) => error !== undefined)
    .map(({ run, work, system, error }) => `${work} run ${run} ${system}: ${error}\n`);
  const pick: Medians = (work, system, figure) => {
    const value = byWork.get(work)?.get(system)?.get(figure);
    return typeof value === 'number' ? value : undefined;
  };
  return [`${JSON.stringify(measured[0]?.on)}\n${systemsOf(measured)}`, ...text, goals(pick), ...failed].join('\n');
}

const isOfMachine = (name: string): boolean => name === 'busyPercent' || name === 'load1';

function columnsOf(measured: Measured[]): Map<string, Map<string, number | string>> {
  const systems = [...new Set(measured.map(({ system }) => system))].sort((a, b) => Number(b === 'retrigger') - Number(a === 'retrigger'));
  return new Map(
    systems.map((system) => {
      const runs = measured
        .filter((one) => one.system === system)
        .flatMap(({ figures, machine }) => (figures === undefined ? [] : [{ ...figures, ...machine }]));
      return [system, medians(runs)];
    }),
  );
}

const systemsOf = (measured: Measured[]): string =>
  [...new Map(measured.flatMap(({ system, about }) => (about === undefined ? [] : [[system, about] as const])))]
    .map(
      ([system, about]) =>
        `${system}: ${flat(about)
          .map(([what, value]) => `${what} ${value}`)
          .join(', ')}\n`,
    )
    .join('');
