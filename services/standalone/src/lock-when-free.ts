import type { Clock } from '@retrigger/ports/clock.ts';
import { type DataFolderLock, lockDataFolder } from '@retrigger/sqlite/data-folder-lock.ts';

/** Longer than a stop takes: nobody who has stopped a process has to wait for its end before starting the next. */
const WAIT_MS = 6_000;
const LOOK_EVERY_MS = 100;

/** The lock of a data folder; `taken` when another process has held it all the while. */
export async function lockWhenFree(folder: string, clock: Clock): Promise<DataFolderLock> {
  for (const end = clock.now() + WAIT_MS; ; ) {
    const lock = lockDataFolder(folder);
    if (lock.kind !== 'taken' || clock.now() >= end) return lock;
    await new Promise<void>((resolve) => clock.timer(clock.now() + LOOK_EVERY_MS, resolve));
  }
}
