import { join } from 'node:path';
import { writeInSteps } from '@retrigger/engine/write-in-steps.ts';
import { unobserved } from '@retrigger/ports/reached.ts';
import { SqliteKeyStore } from '@retrigger/sqlite/sqlite-key-store.ts';
import { openSqliteStore, type SqliteStore } from '@retrigger/sqlite/sqlite-store.ts';
import type { CrashTarget } from './crash-target.ts';
import { decisionStoreContract } from './decision-store-contract.ts';
import { documentStoreContract } from './document-store-contract.ts';
import { eventStoreContract } from './event-store-contract.ts';
import { keyStoreContract } from './key-store-contract.ts';
import { logContract } from './log-contract.ts';
import { receiptStoreContract } from './receipt-store-contract.ts';
import { removableEventsContract } from './removable-events-contract.ts';
import { snapshotStoreContract } from './snapshot-store-contract.ts';
import { openLogOf } from './sqlite-subject.ts';
import { temporaryFolder } from './temporary-folder.ts';

const timeoutMs = 30_000;
const module = new URL('./sqlite-subject.ts', import.meta.url);
const crash: CrashTarget = { module, place: async () => ({ folder: temporaryFolder(), inSteps: false }) };
const open = async (): Promise<SqliteStore> => openSqliteStore(join(temporaryFolder(), 'store.db'), unobserved);

logContract('sqlite', {
  async open(topics) {
    const folder = temporaryFolder();
    let log = openLogOf(folder, topics, unobserved);
    return {
      log,
      async reopen() {
        await log.close();
        log = openLogOf(folder, topics, unobserved);
        return log;
      },
      close: () => log.close(),
    };
  },
  timeoutMs,
  deviations: { oneConsumerPerGroup: 'it is for one process, which has one owner for all partitions' },
  crash,
});

removableEventsContract('sqlite', { open, timeoutMs });
eventStoreContract('sqlite', { open, timeoutMs, crash });
const openKeys = async (path: string) => {
  const keys = new SqliteKeyStore(path);
  return { keys, close: () => keys.close() };
};
const newKeysPath = (): string => join(temporaryFolder(), 'keys.db');
keyStoreContract('sqlite', { open: () => openKeys(newKeysPath()), openAt: { path: newKeysPath, open: openKeys }, timeoutMs });
receiptStoreContract('sqlite', { open, timeoutMs });
documentStoreContract('sqlite', { open, timeoutMs });
snapshotStoreContract('sqlite', { open, timeoutMs });
decisionStoreContract('sqlite', { open, timeoutMs, crash });

decisionStoreContract('sqlite, in steps', {
  async open() {
    const { events, receipts, snapshots, close } = await open();
    return { events, receipts, snapshots, decisions: writeInSteps(events, receipts, snapshots, unobserved), close };
  },
  timeoutMs,
  crash: { module, place: async () => ({ folder: temporaryFolder(), inSteps: true }) },
});
