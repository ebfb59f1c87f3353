import { Cron } from 'croner';

export const DEFAULT_TIME_ZONE = 'UTC';

/** The cron that a schedule carries; `timeZone` is an IANA name or an offset such as `+02:00`. */
export type CronSchedule = { cron: string; timeZone?: string };

export type CronRefusal = { kind: 'refused'; field: 'cron' | 'timeZone'; message: string };

const FIELDS = 'minute hour day-of-month month day-of-week, with an optional field for seconds in front';
const NICKNAMES = '@hourly, @daily, @weekly, @monthly, @yearly';

/**
 * The first time of a cron schedule strictly after `afterMs`. It depends on nothing but the schedule and `afterMs`: whoever goes from one
 * nominal time to the next never drifts, however late a run began.
 *
 * Five fields, or six with seconds in front; names (MON, JAN), `L`, `W`, `#`, `+` (day of month AND weekday; plain is OR) and the
 * nicknames. No year field.
 *
 * Daylight saving, as Vixie cron: a schedule that names its times (no `*` and no step in seconds, minutes and hours) runs once a day for
 * each of them. One that falls into the spring gap runs at the first instant after the gap; in the autumn hour that comes twice it runs at
 * the first. A schedule of intervals (`*` or a step) follows real time: what would fall into the gap is left out, and the hour that comes
 * twice has its runs twice.
 *
 * The zone's rules are those of Node's own ICU data. They may differ between versions; what was decided once is kept in its event.
 */
export function nextCronTime(schedule: CronSchedule, afterMs: number): { kind: 'at'; at: number } | CronRefusal {
  const parsed = parseCron(schedule);
  if (parsed.kind === 'refused') return parsed;
  const next = parsed.cron.nextRun(new Date(afterMs));
  return next === null
    ? { kind: 'refused', field: 'cron', message: `${quote(schedule.cron)} never fires` }
    : { kind: 'at', at: next.getTime() };
}

/**
 * The times in (afterMs, untilMs], oldest first, at most `limit`: those that were missed while nobody ran, or skipped because the run
 * before had not ended. @throws when the schedule is not valid; it was checked when it was accepted.
 */
export function cronTimesBetween(schedule: CronSchedule, afterMs: number, untilMs: number, limit: number): number[] {
  const parsed = parseCron(schedule);
  if (parsed.kind === 'refused') throw new Error(`${parsed.field}: ${parsed.message}`);
  const times: number[] = [];
  let next = parsed.cron.nextRun(new Date(afterMs));
  while (next !== null && next.getTime() <= untilMs && times.length < limit) {
    times.push(next.getTime());
    next = parsed.cron.nextRun(next);
  }
  return times;
}

function parseCron({ cron, timeZone = DEFAULT_TIME_ZONE }: CronSchedule): { kind: 'parsed'; cron: Cron } | CronRefusal {
  const zone = canonicalZone(timeZone);
  if (zone === undefined) {
    const message = `unknown time zone ${quote(timeZone)}; give an IANA name such as "Europe/Berlin", or leave it out for UTC`;
    return { kind: 'refused', field: 'timeZone', message };
  }
  const fields = cron.trim().split(/\s+/).length;
  if (!cron.includes('@') && fields !== 5 && fields !== 6) return notCron(cron, `it has ${fields} ${fields === 1 ? 'field' : 'fields'}`);
  // The library takes a text with a colon for a single date.
  if (cron.length > 200 || cron.includes(':')) return notCron(cron);
  try {
    return { kind: 'parsed', cron: new Cron(cron, { timezone: zone, mode: '5-or-6-parts', fixedTimeRule: 'no-wildcard', paused: true }) };
  } catch (error) {
    return notCron(cron, error instanceof Error ? error.message.replace(/^Cron\w*: /, '') : undefined);
  }
}

function notCron(cron: string, reason?: string): CronRefusal {
  const why = reason === undefined ? '' : ` (${reason})`;
  return { kind: 'refused', field: 'cron', message: `${quote(cron)} is no cron expression${why}; give ${FIELDS}, or one of ${NICKNAMES}` };
}

/** One spelling per zone, because the library keeps a formatter for each spelling it has seen. */
function canonicalZone(timeZone: string): string | undefined {
  try {
    return new Intl.DateTimeFormat('en', { timeZone }).resolvedOptions().timeZone;
  } catch {
    return undefined;
  }
}

const quote = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
