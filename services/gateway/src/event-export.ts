import { CSV_HEADER, csvLine } from '@retrigger/contract/event-csv.ts';
import type { StoredEvent } from '@retrigger/domain/event.ts';
import type { Observer } from '@retrigger/ports/observer.ts';
import type { Reply } from './reply.ts';

export const EXPORT_FORMATS = ['csv', 'jsonl'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export const EXPORT_TYPES: Record<ExportFormat, string> = { csv: 'text/csv', jsonl: 'application/jsonl' };

const LINES: Record<ExportFormat, { header: string; line(stored: StoredEvent): string }> = {
  csv: { header: CSV_HEADER, line: ({ event }) => csvLine(event) },
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
