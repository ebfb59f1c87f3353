import type { Medians } from './peers-report.ts';
import { shown, table } from './table.ts';

type Goal = { what: string; is: number | undefined; wanted: number | undefined; isMost: boolean };

const POSTGRES = ['pg-boss-notify', 'pg-boss-poll', 'graphile-worker'];
const BEHIND_HONO = ['hono-bullmq-always', 'hono-bullmq-everysec'];

/** The goals of the embedded profile over HTTP, met or missed and by how much; those whose other side was not measured are left out. */
export function goals(pick: Medians): string {
  const best = (systems: string[], work: string, figure: string): number | undefined => {
    const known = systems.flatMap((system) => pick(work, system, figure) ?? []);
    return known.length === 0 ? undefined : Math.max(...known);
  };
  const ours = (work: string, figure: string) => pick(work, 'retrigger', figure);
  const times = (factor: number, value: number | undefined) => (value === undefined ? undefined : factor * value);
  const least = (what: string, is: number | undefined, wanted: number | undefined): Goal => ({ what, is, wanted, isMost: false });
  const most = (what: string, is: number | undefined, wanted: number): Goal => ({ what, is, wanted, isMost: true });
  const inProcess = ['bullmq-always'];
  const completed = ours('throughput', 'completedPerSecond');
  const rescheduled = ours('reschedule', 'rescheduledPerSecond');
  const all = [
    least(
      'accepted/s, BullMQ in process, fsync always',
      ours('throughput', 'acceptedPerSecond'),
      best(inProcess, 'throughput', 'acceptedPerSecond'),
    ),
    least('completed/s, BullMQ in process, fsync always', completed, best(inProcess, 'throughput', 'completedPerSecond')),
    least('completed/s, 2 x BullMQ behind Hono', completed, times(2, best(BEHIND_HONO, 'throughput', 'completedPerSecond'))),
    least('completed/s, 5 x the faster on PostgreSQL', completed, times(5, best(POSTGRES, 'throughput', 'completedPerSecond'))),
    most('accept P95 at 200/s, ms', ours('latency', 'acceptMs.p95'), 5),
    most('start P95 at 200/s, ms', ours('latency', 'startMs.p95'), 10),
    least("reschedules/s, half of BullMQ's changeDelay", rescheduled, times(0.5, best(inProcess, 'reschedule', 'rescheduledPerSecond'))),
    least('reschedules/s, 5 x the faster on PostgreSQL', rescheduled, times(5, best(POSTGRES, 'reschedule', 'rescheduledPerSecond'))),
    most('bulk of 100, best effort, P95, ms', ours('bulk', 'callMs.best effort.p95'), 20),
    most('bulk of 100, all or nothing, P95, ms', ours('bulk', 'callMs.all or nothing.p95'), 60),
    most('kept of a broken all-or-nothing bulk of 100', ours('bulk', 'broken.all or nothing.kept'), 0),
    most('late duplicates run', ours('duplicates', 'lateDuplicatesRun'), 0),
  ];
  const known = all.filter(({ is, wanted }) => is !== undefined && wanted !== undefined);
  if (known.length === 0) return '';
  return `goals\n${table([['', 'is', 'wanted', ''], ...known.map(row)])}`;
}

/** What is missed is said as a share, or times, of what was wanted. */
function row({ what, is = 0, wanted = 0, isMost }: Goal): string[] {
  const isMet = isMost ? is <= wanted : is >= wanted;
  const verdict = isMet ? 'met' : isMost ? `missed: ${shown(is / wanted)} times it` : `missed: ${Math.round((100 * is) / wanted)} % of it`;
  return [what, shown(is), `${isMost ? '<=' : '>='} ${shown(wanted)}`, verdict];
}
