import type { Position, StoredEvent } from '@retrigger/domain/event.ts';
import type { JsonObject } from '@retrigger/domain/json.ts';

/**
 * An archive is JSON Lines: for each stream a line that says where it begins (the hash that its first event must carry, the state before it), its events byte for
 * byte as they were stored, and a line that says where it ends.
 */
export type ArchiveLine =
  | { kind: 'begin'; key: string; previousHash: string; first: number; state: JsonObject | null }
  | { kind: 'event'; stored: StoredEvent }
  | { kind: 'end'; key: string; last: number; hash: string };

export const beginLine = (key: string, first: number, previousHash: string, state: JsonObject | null): string =>
  JSON.stringify({ begin: { key, first, previousHash, state } });

export const endLine = (key: string, last: number, hash: string): string => JSON.stringify({ end: { key, last, hash } });

const EVENT = ',"event":';

export const eventLine = ({ position, json }: StoredEvent): string => `{"position":${JSON.stringify(position)}${EVENT}${json}}`;

/** Undefined when it is no line of an archive. `key`: the stream that has begun. */
export function readLine(line: string, key: string): ArchiveLine | undefined {
  let read: { begin?: object; end?: object; event?: StoredEvent['event']; position?: Position };
  try {
    read = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (read?.begin !== undefined) return { kind: 'begin', ...read.begin } as ArchiveLine;
  if (read?.end !== undefined) return { kind: 'end', ...read.end } as ArchiveLine;
  if (read?.event === undefined || read.position === undefined) return undefined;
  const json = line.slice(line.indexOf(EVENT) + EVENT.length, -1);
  return { kind: 'event', stored: { key, event: read.event, json, position: read.position } };
}
