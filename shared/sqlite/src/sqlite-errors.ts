/**
 * What SQLite may answer, as a stable code. `retry`: the same call can succeed later without anybody's help.
 * `whole`: the fault is the file's, not the statement's, so whatever shared the transaction would meet it too.
 */
export type SqliteFault = {
  code: 'disk_full' | 'busy' | 'corrupt' | 'read_only' | 'unavailable' | 'too_large' | 'constraint' | 'misuse';
  retry: boolean;
  whole: boolean;
};

const FAULT = (code: SqliteFault['code'], retry: boolean, whole: boolean): SqliteFault => ({ code, retry, whole });

/** By primary result code (https://sqlite.org/rescode.html). */
const FAULTS: { [resultCode: number]: SqliteFault } = {
  3: FAULT('unavailable', false, true), // PERM
  5: FAULT('busy', true, true), // BUSY
  6: FAULT('busy', true, true), // LOCKED
  7: FAULT('unavailable', true, true), // NOMEM
  8: FAULT('read_only', false, true), // READONLY
  10: FAULT('unavailable', true, true), // IOERR
  11: FAULT('corrupt', false, true), // CORRUPT
  13: FAULT('disk_full', true, true), // FULL
  14: FAULT('unavailable', true, true), // CANTOPEN
  15: FAULT('busy', true, true), // PROTOCOL
  18: FAULT('too_large', false, false), // TOOBIG
  19: FAULT('constraint', false, false), // CONSTRAINT
  20: FAULT('misuse', false, false), // MISMATCH
  22: FAULT('unavailable', false, true), // NOLFS
  23: FAULT('unavailable', false, true), // AUTH
  26: FAULT('corrupt', false, true), // NOTADB
};

/** The fault behind an exception; a code that is not in the table, and whatever SQLite did not throw, is a bug: `misuse`. */
export function sqliteFault(error: unknown): SqliteFault {
  const resultCode = error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : 0;
  return FAULTS[resultCode] ?? FAULT('misuse', false, false);
}
