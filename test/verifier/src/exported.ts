import { CSV_HEADER, csvLine } from '@retrigger/contract/event-csv.ts';
import { type Event, NO_HASH } from '@retrigger/domain/event.ts';
import { sealEvent } from '@retrigger/domain/event-hash.ts';
import { eventId, taskKey } from '@retrigger/domain/identifiers.ts';

const TYPES = ['TaskCreated', 'TaskTriggered', 'TaskCompleted'];

/** What makes trouble in files. */
const TEXTS = ['plain', '=1+1', "'quoted", 'two\r\nlines', 'a"b,c', 'déjà 🚀', '\u2028', ''];

/** Events of one task, chained, with contents of every kind. */
export function chainOf(taskId: string, count: number): { event: Event; json: string }[] {
  const chain: { event: Event; json: string }[] = [];
  const key = taskKey('acme', taskId);
  for (let sequence = 1; sequence <= count; sequence++) {
    const text = TEXTS[sequence % TEXTS.length] ?? '';
    chain.push(
      sealEvent<Event>({
        eventId: eventId(key, sequence),
        eventType: TYPES[sequence % TYPES.length] ?? '',
        schemaVersion: 1,
        tenantId: 'acme',
        taskId,
        sequence,
        timestamp: new Date(Date.UTC(2026, 2, 1) + sequence * 1_000).toISOString(),
        actor: { id: 'ann', type: 'user' },
        commandId: `command-${sequence}`,
        correlationId: text,
        previousState: sequence === 1 ? null : sequence === 2 ? '' : 'Draft',
        newState: 'Draft',
        metadata: { text, number: 1.5, nested: [null, { a: text }] },
        ...(sequence % 2 === 0 ? { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' } : {}),
        previousHash: chain.at(-1)?.event.hash ?? NO_HASH,
      }),
    );
  }
  return chain;
}

/** The first of each, the second of each, and so on. */
export const interleaved = <T>(chains: T[][]): T[] =>
  Array.from({ length: Math.max(...chains.map((chain) => chain.length)) }, (_, i) =>
    chains.flatMap((chain) => chain.slice(i, i + 1)),
  ).flat();

/** The lines of a file, each with its line end. */
export const FORMATS: { [format: string]: (events: { event: Event; json: string }[]) => string[] } = {
  'JSON Lines': (events) => events.map(({ json }) => `${json}\n`),
  CSV: (events) => [CSV_HEADER, ...events.map(({ event }) => csvLine(event))],
};

/** A file in pieces that end anywhere. */
export async function* inPieces(bytes: Uint8Array, size = 777): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < bytes.length; i += size) yield bytes.subarray(i, i + size);
}
