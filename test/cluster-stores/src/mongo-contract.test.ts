import { MongoKeyStore } from '@retrigger/mongo/mongo-key-store.ts';
import { decisionStoreContract } from '@retrigger/test-contract/decision-store-contract.ts';
import { documentStoreContract } from '@retrigger/test-contract/document-store-contract.ts';
import { eventStoreContract } from '@retrigger/test-contract/event-store-contract.ts';
import { keyStoreContract } from '@retrigger/test-contract/key-store-contract.ts';
import { receiptStoreContract } from '@retrigger/test-contract/receipt-store-contract.ts';
import { removableEventsContract } from '@retrigger/test-contract/removable-events-contract.ts';
import { snapshotStoreContract } from '@retrigger/test-contract/snapshot-store-contract.ts';
import { onTestFinished } from 'vitest';
import { freshDatabase, freshUrl, openDatabase } from './databases.ts';
import { mongoStores } from './mongo-subject.ts';

const adapter = {
  timeoutMs: 60_000,
  async open() {
    const { mongo, drop } = await freshDatabase();
    return { ...mongoStores(mongo), close: drop };
  },
  crash: {
    module: new URL('./mongo-subject.ts', import.meta.url),
    async place() {
      const url = freshUrl();
      onTestFinished(async () => (await openDatabase(url)).drop());
      return { url };
    },
  },
};

removableEventsContract('MongoDB', adapter);
eventStoreContract('MongoDB', adapter);
receiptStoreContract('MongoDB', adapter);
keyStoreContract('MongoDB', {
  ...adapter,
  async open() {
    const { mongo, drop } = await freshDatabase();
    const keys = await MongoKeyStore.open(mongo);
    return {
      keys,
      async close() {
        await mongo.db.client.db(`${mongo.db.databaseName}_keys`).dropDatabase();
        await drop();
      },
    };
  },
});
documentStoreContract('MongoDB', adapter);
snapshotStoreContract('MongoDB', adapter);
decisionStoreContract('MongoDB', adapter);
