const INSTANT = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(?:Z|([+-])(\d{2}):(\d{2}))$/;

/**
 * Epoch milliseconds of an ISO 8601 instant: date, `T`, time (seconds and their fraction may be left out) and `Z` or an offset such as
 * `+02:00`. Digits beyond the millisecond are cut off. Undefined when the text is none, has no zone, or names a day that doesn't exist
 * (30 February; `Date.parse` would make it 2 March).
 */
export function parseInstant(text: string): number | undefined {
  const parts = INSTANT.exec(text);
  if (!parts) return undefined;
  const [, date, minute, second = '00', fraction = '', sign, offsetHours = '0', offsetMinutes = '0'] = parts;
  const written = `${date}T${minute}:${second}.${fraction.slice(0, 3).padEnd(3, '0')}Z`;
  const local = Date.parse(written);
  if (Number.isNaN(local) || new Date(local).toISOString() !== written) return undefined;
  if (Number(offsetHours) > 23 || Number(offsetMinutes) > 59) return undefined;
  const offset = (Number(offsetHours) * 60 + Number(offsetMinutes)) * 60_000;
  return sign === '-' ? local + offset : local - offset;
}

/** As API.md writes instants: ISO 8601 UTC with milliseconds. */
export const formatInstant = (at: number): string => new Date(at).toISOString();
