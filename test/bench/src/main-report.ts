import { type Figures, medians, shown, table } from './table.ts';

/** A rate has a share of the slowest limit beside it; times are P50 / P95 / P99 in ms. */
type Row = { what: string; rate: string } | { what: string; times: string } | { what: string; figure: string };

const ROWS: Row[] = [
  { what: 'limit: bare Hono, same route, body validated', rate: 'limits.httpPerSecond' },
  { what: 'limit: bare group-commit append', rate: 'limits.appendPerSecond' },
  { what: 'limit: bare store writes, same batches', rate: 'limits.storePerSecond' },
  { what: 'commands in a batch of the worker', figure: 'triggers.batchSize' },
  { what: 'tasks created', rate: 'triggers.createdPerSecond' },
  { what: 'triggers accepted, nothing behind them', rate: 'triggers.acceptedPerSecond' },
  { what: 'triggers accepted while executors claim', rate: 'executions.throughput.acceptedPerSecond' },
  { what: 'triggers completed by executors', rate: 'executions.throughput.completedPerSecond' },
  { what: 'processor µs of all processes for each of them', figure: 'executions.throughput.processorMicros.all' },
  { what: 'triggers accepted while targets are called', rate: 'triggers.targets.acceptedPerSecond' },
  { what: 'triggers completed by HTTP targets', rate: 'triggers.targets.completedPerSecond' },
  { what: 'reschedules', rate: 'reschedules.rescheduledPerSecond' },
  { what: 'reschedule, 64 in flight', times: 'reschedules.callMs' },
  { what: 'reschedule at the rate', times: 'reschedules.pacedMs' },
  { what: 'accept at the rate, nothing behind', times: 'triggers.acceptMs' },
  { what: 'accept at the rate, executors', times: 'executions.paced.acceptMs' },
  { what: 'run starts at the rate, executors', times: 'executions.paced.startMs' },
  { what: 'accept at the rate, targets', times: 'triggers.targets.acceptMs' },
  { what: 'target called at the rate', times: 'triggers.targets.startMs' },
  { what: '70 % of the triggers accepted', rate: 'triggers.sustained.ratePerSecond' },
  { what: 'accept at that rate, nothing behind', times: 'triggers.sustained.acceptMs' },
  { what: '70 % of the triggers completed by executors', rate: 'executions.sustained.ratePerSecond' },
  { what: 'accept at that rate, executors', times: 'executions.sustained.acceptMs' },
  { what: 'run starts at that rate, executors', times: 'executions.sustained.startMs' },
  { what: 'bulk of 100, best effort', times: 'bulks.bestEffortMs' },
  { what: 'bulk of 100, all or nothing', times: 'bulks.allOrNothingMs' },
  { what: 'trigger at the rate beside bulks of 1,000', times: 'bulks.singleBesideBulksMs' },
  { what: 'bulk of 1,000, all or nothing, beside them', times: 'bulks.largeMs' },
  { what: "page of 1,000 of a task's history", times: 'pages.taskMs' },
  { what: "page of 1,000 of a tenant's history", times: 'pages.tenantMs' },
  { what: 'keys sent twice at once and once later', figure: 'duplicates.keys' },
  { what: 'runs of them', figure: 'duplicates.executions' },
  { what: 'runs by the late ones', figure: 'duplicates.lateDuplicatesRun' },
  { what: 'calls of a target that were not the first', figure: 'triggers.targets.callsThatWereNotTheFirst' },
  { what: 'processors busy meanwhile, %', figure: 'machine.busyPercent' },
];

/** What was not measured has no line. */
export function mainReport(results: Figures[], about: object): string {
  const middle = medians(results);
  const number = (name: string): number | undefined => {
    const value = middle.get(name);
    return typeof value === 'number' ? value : undefined;
  };
  const limits = ['httpPerSecond', 'appendPerSecond', 'storePerSecond'].flatMap((name) => number(`limits.${name}`) ?? []);
  const slowest = Math.min(...limits);
  const rows = ROWS.flatMap((row) => {
    if ('times' in row) {
      const times = ['p50', 'p95', 'p99'].flatMap((share) => number(`${row.times}.${share}`) ?? []);
      return times.length === 0 ? [] : [[row.what, times.map((ms) => ms.toFixed(1)).join(' / '), '']];
    }
    const value = number('rate' in row ? row.rate : row.figure);
    if (value === undefined) return [];
    return [
      [row.what, 'rate' in row ? `${Math.round(value)}/s` : shown(value), 'rate' in row ? `${Math.round((100 * value) / slowest)} %` : ''],
    ];
  });
  return `${JSON.stringify(about)}\n\n${table([['medians', 'per second, or P50 / P95 / P99 ms', 'of the slowest limit'], ...rows])}`;
}
