import { randomUUID } from 'node:crypto';
import { systemClock } from '@retrigger/lifecycle/system-clock.ts';
import { connectMongo, type MongoConnection } from '@retrigger/mongo/mongo-client.ts';
import { inject } from 'vitest';

export type TestDatabase = {
  url: string;
  mongo: MongoConnection /** Removes the database and closes the connection. */;
  drop(): Promise<void>;
};

/** The address of a database that nobody else has, on the cluster's MongoDB-protocol server. `settings` goes behind its question mark. */
export function freshUrl(settings = ''): string {
  const url = new URL(inject('cluster').mongoUrl);
  url.pathname = `/test_${randomUUID().replaceAll('-', '')}`;
  url.search = settings;
  return url.href;
}

export async function openDatabase(url: string): Promise<TestDatabase> {
  const mongo = await connectMongo(url, systemClock);
  return {
    url,
    mongo,
    async drop() {
      await mongo.db.dropDatabase();
      await mongo.close();
    },
  };
}

export const freshDatabase = (settings?: string): Promise<TestDatabase> => openDatabase(freshUrl(settings));
