import { CSV_HEADER, csvLine, readCsvLine } from '@retrigger/contract/event-csv.ts';
import { type Event, NO_HASH } from '@retrigger/domain/event.ts';
import { hashFault, linkFault, readEventText, textFault } from '@retrigger/domain/event-hash.ts';
import { taskKey } from '@retrigger/domain/identifiers.ts';
import { csvLinesOf, type Line, linesOf } from './export-lines.ts';

/** `gaps`: places where a task's sequences jump; only a filtered export may have some. */
export type ExportVerdict =
  | { kind: 'whole'; events: number; tasks: number; gaps: number }
  | { kind: 'broken'; line: number; task: string | null; sequence: number | null; reason: string };

type Read = { kind: 'event'; event: Event; fault: string | undefined } | { kind: 'unreadable'; reason: string };

/**
 * Follows the chain of every task in an exported file, in one pass, with one hash a task in memory. Needs no key: whoever has the file can do it.
 * E1: an event that was changed in any byte, left out, put in or put elsewhere is found, and the first is named. What was cut off behind a task's last event here can't be:
 * a file does not know what should follow.
 * E2: of a filtered export each event is checked by itself, and with the one before where that is here. Its gaps may be the filter's or somebody's: nobody can tell.
 */
export async function verifyExport(chunks: AsyncIterable<Uint8Array>, isFiltered: boolean): Promise<ExportVerdict> {
  const chains = new Map<string, { sequence: number; hash: string }>();
  let [events, gaps] = [0, 0];
  const lines = linesOf(chunks);
  const first = await lines.next();
  if (first.done) return { kind: 'whole', events, tasks: 0, gaps };
  const isCsv = first.value.text.startsWith('sequence,');
  if (isCsv && first.value.text !== CSV_HEADER) return broken(first.value, null, 'the line of names is not the one that was written');
  for await (const line of isCsv ? csvLinesOf(lines) : behind(first.value, lines)) {
    const read = isCsv ? readCsv(line) : readJson(line);
    if (read.kind === 'unreadable') return broken(line, null, read.reason);
    const { event, fault } = read;
    const key = taskKey(event.tenantId, event.taskId);
    const before = chains.get(key) ?? { sequence: 0, hash: NO_HASH };
    const hasGap = isFiltered && event.sequence > before.sequence + 1;
    const reason = (hasGap ? undefined : linkFault(event, before.sequence + 1, before.hash)) ?? fault;
    if (reason !== undefined) return broken(line, event, reason);
    if (hasGap) gaps++;
    events++;
    chains.set(key, { sequence: event.sequence, hash: event.hash });
  }
  return { kind: 'whole', events, tasks: chains.size, gaps };
}

async function* behind(first: Line, rest: AsyncIterable<Line>): AsyncGenerator<Line, void> {
  yield first;
  yield* rest;
}

function readJson({ text }: Line): Read {
  const json = text.endsWith('\n') ? text.slice(0, -1) : text;
  const found = readEventText(json);
  return found.kind === 'unreadable' ? found : { ...found, fault: hashFault(found.event) ?? textFault(found.event, json) };
}

function readCsv({ text }: Line): Read {
  const found = readCsvLine(text);
  if (found.kind === 'unreadable') return found;
  const hasItsBytes = csvLine(found.event) === text;
  return { ...found, fault: hashFault(found.event) ?? (hasItsBytes ? undefined : 'its bytes are not those that were written') };
}

const broken = ({ number }: Line, event: Event | null, reason: string): ExportVerdict => ({
  kind: 'broken',
  line: number,
  task: event === null ? null : taskKey(event.tenantId, event.taskId),
  sequence: event?.sequence ?? null,
  reason,
});
