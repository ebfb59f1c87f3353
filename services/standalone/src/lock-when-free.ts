import type { Clock } from '@retrigger/ports/clock.ts';
import type { DataFolderLock } from '@retrigger/sqlite/data-folder-lock.ts';

/** Longer than a stop takes: nobody who has stopped a process has to wait for its end before starting the next. */
const WAIT_MS = 6_000;
const LOOK_EVERY_MS = 100;

/** The lock that `lock` asks for; `taken` when another process has held it all the while. */
export async function lockWhenFree(lock: () => DataFolderLock, clock: Clock): Promise<DataFolderLock> {
  for (const end = clock.now() + WAIT_MS; ; ) {
    const found = lock();
    if (found.kind !== 'taken' || clock.now() >= end) return found;
    await new Promise<void>((resolve) => clock.timer(clock.now() + LOOK_EVERY_MS, resolve));
  }
}
