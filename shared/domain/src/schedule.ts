import type { BackoffDetails, Jitter } from './backoff.ts';
import { backoff } from './backoff.ts';
import { chance } from './chance.ts';
import type { Conditions } from './conditions.ts';
import { DEFAULT_TIME_ZONE, nextCronTime } from './cron.ts';
import { formatDuration, MAX_AHEAD_MS, parseDuration } from './duration.ts';
import { formatInstant, parseInstant } from './instant.ts';

export const DELAY_UNIT_MS = { seconds: 1_000, minutes: 60_000, hours: 3_600_000, days: 86_400_000 } as const;
export type DelayUnit = keyof typeof DELAY_UNIT_MS;
export const DELAY_UNITS = Object.keys(DELAY_UNIT_MS) as [DelayUnit, ...DelayUnit[]];

/** When a task is to run, as API.md's "Schedules". Durations, instants and cron as the caller wrote them. */
export type Schedule =
  | { strategy: 'immediate' }
  | { strategy: 'delayed'; delay: string | number; unit?: DelayUnit }
  | { strategy: 'at'; at: string }
  | { strategy: 'cron'; cron: string; timeZone?: string }
  | { strategy: 'exponential_backoff'; baseDelay: string; maxDelay?: string; jitter?: Jitter; currentRetryCount?: number }
  | { strategy: 'conditional'; conditions: Conditions };

export type Strategy = Schedule['strategy'];

export const DEFAULT_MAX_DELAY = '24h';

export type ScheduleBasis = {
  /** The task's failed attempts so far. */
  retryCount: number;
  /** Jitter is derived from it. */
  commandId: string;
  /** Epoch ms of a recurring task's last nominal time: the next is counted from there, not from now, and is not bounded. */
  nominalAfter?: number;
  /**
   * The door has accepted this schedule before: an `at` that has passed since is due now, and nothing is too far ahead any more. (The
   * log's clock may differ from the door's, and what was accepted must not be refused for having waited.)
   */
  isAdmitted?: boolean;
};

export type CalculationDetails = BackoffDetails | { cron: string; timeZone: string };

/** `field` is the path in the schedule; `message` says what would be right. */
export type ScheduleRefusal = { kind: 'refused'; field: string; message: string };

/** `at` is in epoch ms. `waiting`: no time is set, its conditions decide. */
export type NextExecution = { kind: 'at'; at: number; details?: CalculationDetails } | { kind: 'waiting' } | ScheduleRefusal;

/**
 * When a schedule is due next, seen from `nowMs`.
 * N1: never before `nowMs` (except a recurring task's nominal time that was missed), and unless admitted at most 366 days after it.
 * N2: the same arguments give the same answer, jitter included.
 */
export function nextExecution(schedule: Schedule, nowMs: number, basis: ScheduleBasis): NextExecution {
  switch (schedule.strategy) {
    case 'immediate':
      return { kind: 'at', at: nowMs };
    case 'conditional':
      return { kind: 'waiting' };
    case 'delayed':
      return delayed(schedule, nowMs);
    case 'at':
      return atInstant(schedule.at, nowMs, basis);
    case 'cron':
      return recurring(schedule, nowMs, basis);
    case 'exponential_backoff':
      return backedOff(schedule, nowMs, basis);
  }
}

/** How far ahead it was set, as a duration text; null when it waits for conditions. */
export const delayApplied = (next: Exclude<NextExecution, ScheduleRefusal>, nowMs: number): string | null =>
  next.kind === 'waiting' ? null : formatDuration(Math.max(0, next.at - nowMs));

/** A schedule that gives another run after each one. */
export const isRecurring = (schedule: Schedule): boolean => schedule.strategy === 'cron';

function delayed({ delay, unit }: Schedule & { strategy: 'delayed' }, nowMs: number): NextExecution {
  if (typeof delay === 'string') {
    const ms = readDuration('delay', delay);
    return typeof ms === 'number' ? { kind: 'at', at: nowMs + ms } : ms;
  }
  if (unit === undefined)
    return refuse('unit', `is needed beside a number; give one of ${DELAY_UNITS.join(', ')}, or write delay as a duration such as "5m"`);
  const ms = Math.round(delay * DELAY_UNIT_MS[unit]);
  if (!(ms >= 0)) return refuse('delay', 'must be 0 or more');
  return ms <= MAX_AHEAD_MS ? { kind: 'at', at: nowMs + ms } : refuse('delay', TOO_FAR);
}

function atInstant(text: string, nowMs: number, { isAdmitted }: ScheduleBasis): NextExecution {
  const at = parseInstant(text);
  if (at === undefined) return refuse('at', `is no instant; give ISO 8601 with a zone, such as "${formatInstant(nowMs + 3_600_000)}"`);
  if (isAdmitted) return { kind: 'at', at: Math.max(at, nowMs) };
  if (at < nowMs) return refuse('at', `is in the past; now it is ${formatInstant(nowMs)}`);
  return at - nowMs <= MAX_AHEAD_MS ? { kind: 'at', at } : refuse('at', TOO_FAR);
}

function recurring(schedule: Schedule & { strategy: 'cron' }, nowMs: number, { nominalAfter, isAdmitted }: ScheduleBasis): NextExecution {
  const next = nextCronTime(schedule, nominalAfter ?? nowMs);
  if (next.kind === 'refused') return next;
  const isBounded = nominalAfter === undefined && !isAdmitted;
  if (isBounded && next.at - nowMs > MAX_AHEAD_MS) return refuse('cron', `fires next at ${formatInstant(next.at)}: ${MOST_AHEAD}`);
  return { ...next, details: { cron: schedule.cron, timeZone: schedule.timeZone ?? DEFAULT_TIME_ZONE } };
}

function backedOff(schedule: Schedule & { strategy: 'exponential_backoff' }, nowMs: number, basis: ScheduleBasis): NextExecution {
  const { baseDelay, maxDelay = DEFAULT_MAX_DELAY, jitter = 'none', currentRetryCount = basis.retryCount } = schedule;
  const baseMs = readDuration('baseDelay', baseDelay);
  if (typeof baseMs !== 'number') return baseMs;
  const maxMs = readDuration('maxDelay', maxDelay);
  if (typeof maxMs !== 'number') return maxMs;
  if (!Number.isSafeInteger(currentRetryCount) || currentRetryCount < 0)
    return refuse('currentRetryCount', 'must be a whole number, 0 or more');
  const { delayMs, details } = backoff({ baseMs, maxMs, jitter, retryCount: currentRetryCount }, chance('jitter', basis.commandId));
  return { kind: 'at', at: nowMs + delayMs, details };
}

function readDuration(field: string, text: string): number | ScheduleRefusal {
  const ms = parseDuration(text);
  if (ms === undefined) return refuse(field, 'is no duration; give one such as "200ms", "90s", "5m", "2h", "1d" or "PT5M"');
  return ms <= MAX_AHEAD_MS ? ms : refuse(field, TOO_FAR);
}

const MOST_AHEAD = 'at most 366 days ahead';
const TOO_FAR = `must be ${MOST_AHEAD}`;
const refuse = (field: string, message: string): ScheduleRefusal => ({ kind: 'refused', field, message });
