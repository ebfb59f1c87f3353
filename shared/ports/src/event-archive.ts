/**
 * Events that may leave the store for an archive.
 * V1: what is left of a key is a gapless end of what was there: whatever stops it, only first events are gone.
 */
export interface RemovableEvents {
  /** Takes away the events of a key up to a sequence, included; returns how many there were. */
  removeFirst(key: string, upTo: number): Promise<number>;
}

/**
 * A place for files that are written once and read rarely.
 * V2: a file is there whole and durable when `write` resolves, or not at all; the same name again takes its place. Names are made of ids and `/`.
 */
export interface EventArchive {
  write(name: string, lines: AsyncIterable<string>): Promise<void>;
}
