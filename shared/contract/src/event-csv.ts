import type { Event } from '@retrigger/domain/event.ts';
import { canonicalJson } from '@retrigger/domain/event-hash.ts';
import type { JsonObject } from '@retrigger/domain/json.ts';

type Cell = string | number | null;

const COLUMNS: [string, (event: Event) => Cell][] = [
  ['sequence', (event) => event.sequence],
  ['eventId', (event) => event.eventId],
  ['eventType', (event) => event.eventType],
  ['schemaVersion', (event) => event.schemaVersion],
  ['timestamp', (event) => event.timestamp],
  ['tenantId', (event) => event.tenantId],
  ['taskId', (event) => event.taskId],
  ['actorId', (event) => event.actor.id],
  ['actorType', (event) => event.actor.type],
  ['previousState', (event) => event.previousState],
  ['newState', (event) => event.newState],
  ['metadata', (event) => canonicalJson(event.metadata)],
  ['commandId', (event) => event.commandId],
  ['correlationId', (event) => event.correlationId],
  ['otherFields', otherFields],
  ['previousHash', (event) => event.previousHash],
  ['hash', (event) => event.hash],
];

const NAMED = new Set(['actor', ...COLUMNS.map(([name]) => name)]);

/** What an event has besides the columns, as a JSON object: without it nobody could check its hash. */
function otherFields(event: Event): Cell {
  const others = Object.entries(event).filter(([name]) => !NAMED.has(name));
  return others.length === 0 ? null : canonicalJson(Object.fromEntries(others));
}

/** What a spreadsheet takes for the beginning of a formula; and the apostrophe that keeps it from that, so that it can be taken away again. */
const GUARDED = /^['=+\-@\t\r\n]/;

/**
 * V1: RFC 4180, every text quoted; null is an empty field without quotes. V2: what a spreadsheet would run as a formula gets an apostrophe in front.
 * V3: a line says all that the event says, in one way only, so that its hash can be checked.
 */
function cell(value: Cell): string {
  if (value === null || typeof value === 'number') return value === null ? '' : String(value);
  const safe = GUARDED.test(value) ? `'${value}` : value;
  return `"${safe.replaceAll('"', '""')}"`;
}

export const CSV_HEADER = `${COLUMNS.map(([name]) => name).join(',')}\r\n`;

export const csvLine = (event: Event): string => `${COLUMNS.map(([, read]) => cell(read(event))).join(',')}\r\n`;

const FIELD = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|$)/y;

/** The fields of a line; null for one without quotes and content. Undefined when it is no line of CSV. */
function fieldsOf(line: string): (string | null)[] | undefined {
  const fields: (string | null)[] = [];
  FIELD.lastIndex = 0;
  for (;;) {
    const found = FIELD.exec(line);
    if (found === null) return undefined;
    const [, quoted, bare = '', end] = found;
    fields.push(quoted === undefined ? bare || null : quoted.replaceAll('""', '"').replace(/^'/, ''));
    if (end !== ',') return FIELD.lastIndex === line.length ? fields : undefined;
  }
}

/** The event of a line. `unreadable`: no event was ever written like this. V3: whoever wants to know whether it stands as written compares `csvLine` of it. */
export function readCsvLine(line: string): { kind: 'event'; event: Event } | { kind: 'unreadable'; reason: string } {
  const fields = fieldsOf(line);
  if (fields?.length !== COLUMNS.length) return { kind: 'unreadable', reason: `it is no line of ${COLUMNS.length} fields` };
  const values = Object.fromEntries(COLUMNS.map(([name], i) => [name, fields[i] ?? null]));
  const { actorId, actorType, sequence, schemaVersion, metadata, otherFields, ...rest } = values;
  try {
    const others = otherFields == null ? {} : (JSON.parse(otherFields) as JsonObject);
    const event = { ...rest, ...others, actor: { id: actorId, type: actorType }, metadata: JSON.parse(metadata ?? '') };
    return { kind: 'event', event: { ...event, sequence: Number(sequence), schemaVersion: Number(schemaVersion) } as unknown as Event };
  } catch {
    return { kind: 'unreadable', reason: 'a field of it is not JSON' };
  }
}
