import type { StoredEvent } from '@retrigger/domain/event.ts';
import { canonicalJson } from '@retrigger/domain/event-hash.ts';
import type { Observer } from '@retrigger/ports/observer.ts';
import type { Reply } from './reply.ts';

export const EXPORT_FORMATS = ['csv', 'jsonl'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export const EXPORT_TYPES: Record<ExportFormat, string> = { csv: 'text/csv', jsonl: 'application/jsonl' };

type Cell = string | number | null;

const COLUMNS: [string, (event: StoredEvent['event']) => Cell][] = [
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
  ['previousHash', (event) => event.previousHash],
  ['hash', (event) => event.hash],
];

/** What a spreadsheet takes for the beginning of a formula. */
const FORMULA = /^[=+\-@\t\r\n]/;

/** X1: RFC 4180, every text quoted. X2: what a spreadsheet would run as a formula gets an apostrophe in front. */
function cell(value: Cell): string {
  if (value === null || typeof value === 'number') return value === null ? '' : String(value);
  const safe = FORMULA.test(value) ? `'${value}` : value;
  return `"${safe.replaceAll('"', '""')}"`;
}

const csvLine = ({ event }: StoredEvent): string => `${COLUMNS.map(([, read]) => cell(read(event))).join(',')}\r\n`;
const LINES: Record<ExportFormat, { header: string; line(stored: StoredEvent): string }> = {
  csv: { header: `${COLUMNS.map(([name]) => name).join(',')}\r\n`, line: csvLine },
  jsonl: { header: '', line: ({ json }) => `${json}\n` },
};

/**
 * Events as a file, streamed. JSON Lines are the texts of the pages: what was hashed is told from them without any key (`sealedForm`).
 * X3: the next chunk is read when the client has taken the one before, so a slow client costs no memory; one that goes away ends the reading.
 * The first chunk is read before anything is answered, so that a broken store is still an error; a later failure cuts the connection.
 */
export async function exportReply(
  format: ExportFormat,
  name: string,
  chunks: AsyncGenerator<StoredEvent[], void>,
  observer: Pick<Observer, 'log'>,
): Promise<Reply> {
  const { header, line } = LINES[format];
  const encoder = new TextEncoder();
  let ready: IteratorResult<StoredEvent[], void> | undefined = await chunks.next();
  const failed = (error: unknown): never => {
    observer.log('error', 'an export was cut off', { format, error: String(error) });
    throw error;
  };
  const body = new ReadableStream<Uint8Array>(
    {
      start: (controller) => {
        if (header !== '') controller.enqueue(encoder.encode(header));
      },
      async pull(controller) {
        const next = ready ?? (await chunks.next().catch(failed));
        ready = undefined;
        if (next.done) controller.close();
        else controller.enqueue(encoder.encode(next.value.map(line).join('')));
      },
      async cancel() {
        await chunks.return();
      },
    },
    { highWaterMark: 0 },
  );
  return {
    status: 200,
    body,
    headers: {
      'content-type': format === 'csv' ? 'text/csv; charset=utf-8; header=present' : EXPORT_TYPES.jsonl,
      'content-disposition': `attachment; filename="${name}.${format}"`,
    },
  };
}
