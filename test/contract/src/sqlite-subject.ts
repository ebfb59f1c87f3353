import { join } from 'node:path';
import { writeInSteps } from '@retrigger/engine/write-in-steps.ts';
import { systemClock } from '@retrigger/memory/system-clock.ts';
import type { Reached } from '@retrigger/ports/reached.ts';
import { openSqliteLog, type SqliteLog } from '@retrigger/sqlite/sqlite-log.ts';
import { openSqliteStore } from '@retrigger/sqlite/sqlite-store.ts';
import type { CrashSubject } from './crash-target.ts';
import { CRASH_TOPIC } from './log-crash-tests.ts';

/** Opens the log of a folder; a mismatch is an error here. */
export function openLogOf(folder: string, topics: { [topic: string]: number }, reached: Reached): SqliteLog {
  const opened = openSqliteLog(join(folder, 'log.db'), topics, systemClock, reached);
  if (opened.kind === 'mismatch') throw new Error(`topic ${opened.topic} is stored with another shape`);
  return opened.log;
}

/** What a crash test opens: everything in one folder. `inSteps`: the decision store is the one over three stores. */
export async function open(place: unknown, reached: Reached): Promise<CrashSubject> {
  const { folder, inSteps } = place as { folder: string; inSteps: boolean };
  const log = openLogOf(folder, { [CRASH_TOPIC]: 4 }, reached);
  const { close, decisions, ...stores } = openSqliteStore(join(folder, 'store.db'), reached);
  return {
    ...stores,
    log,
    decisions: inSteps ? writeInSteps(stores.events, stores.receipts, stores.snapshots, reached) : decisions,
    async close() {
      await log.close();
      await close();
    },
  };
}
