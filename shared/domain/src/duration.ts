const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const SHORT = /^(\d{1,15})(ms|s|m|h|d)$/;
const WEEKS = /^P(\d{1,4})W$/;
const ISO = /^P(?:(\d{1,6})D)?(?:T(?=\d)(?:(\d{1,6})H)?(?:(\d{1,8})M)?(?:(\d{1,10})(?:\.(\d{1,3}))?S)?)?$/;

/** The furthest that anything is scheduled ahead; also the longest delay, deadline or cap that makes sense. */
export const MAX_AHEAD_MS = 366 * UNIT_MS.d;

/**
 * Milliseconds of `"200ms"`, `"90s"`, `"5m"`, `"2h"`, `"1d"` or ISO 8601 (`"PT5M"`, `"P1DT12H"`, `"P2W"`; a day is 24 hours; no years
 * or months, whose length is not fixed). Undefined when the text is neither.
 */
export function parseDuration(text: string): number | undefined {
  const short = SHORT.exec(text);
  if (short) return Number(short[1]) * UNIT_MS[short[2] as keyof typeof UNIT_MS];
  const weeks = WEEKS.exec(text);
  if (weeks) return Number(weeks[1]) * 7 * UNIT_MS.d;
  const iso = text === 'P' ? null : ISO.exec(text);
  if (!iso) return undefined;
  const [, d = '0', h = '0', m = '0', s = '0', fraction = ''] = iso;
  return Number(d) * UNIT_MS.d + Number(h) * UNIT_MS.h + Number(m) * UNIT_MS.m + Number(s) * UNIT_MS.s + Number(fraction.padEnd(3, '0'));
}

/** The shortest exact text of whole milliseconds, in the largest unit that divides them: `240000` is `"4m"`, `90000` is `"90s"`, `0` is `"0s"`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s';
  const unit = (['d', 'h', 'm', 's'] as const).find((candidate) => ms % UNIT_MS[candidate] === 0) ?? 'ms';
  return `${ms / UNIT_MS[unit]}${unit}`;
}
