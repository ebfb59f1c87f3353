import type { Clock } from '@retrigger/ports/clock.ts';
import { type Db, MongoClient, type MongoClientOptions } from 'mongodb';
import { ENDING_CONNECTIONS } from './ending-connection.ts';
import { MongoFailure } from './mongo-errors.ts';
import { createIndexes } from './mongo-indexes.ts';
import { answerWithin, type Retry, retryWithin } from './mongo-retry.ts';

const DEFAULT_DATABASE = 'retrigger';
/** A restarted server, or a replica set that elects, is back well inside this. */
const RETRY_FOR_MS = 15_000;

/**
 * Everything else (hosts, replica set, TLS, authentication, compression, pool size) is the URL's. What stands here wins over the URL: what the log is told
 * rests on it.
 * C1: a write is acknowledged by a majority and in its journal, or it is an error; a server that does not get there in time says so.
 * C2: a read sees only what a majority has, so nothing is decided on what a fail-over takes back.
 * C3: nothing waits for ever: every step of an operation has its bound, and what is written to a connection ends with it (C5).
 * C4: the driver retries nothing. Its retryable writes need sessions, which a standalone server and servers that only speak the protocol lack; and each of
 * our writes may be done twice (F1), so one loop of our own is right on every server, and what is tested on one is what runs on all.
 */
const PINNED: MongoClientOptions = {
  writeConcern: { w: 'majority', j: true, wtimeoutMS: 10_000 }, // C1
  readConcern: { level: 'majority' }, // C2
  readPreference: 'primary', // C2
  serverSelectionTimeoutMS: 5_000, // C3
  connectTimeoutMS: 5_000, // C3; also how long a check of the server may take
  heartbeatFrequencyMS: 3_000, // C3: a server that vanished without a word is given up after this and one failed check
  socketTimeoutMS: 20_000, // C3
  // A worker that takes over many partitions asks for thousands of tails at once; that queue is no fault, and it moves because the others have bounds.
  waitQueueTimeoutMS: 30_000, // C3
  retryWrites: false, // C4
  retryReads: false, // C4
  ignoreUndefined: true,
  ...ENDING_CONNECTIONS, // C5
};

/** What the stores work on. `close` ends every connection; what is under way fails. */
export type MongoConnection = { db: Db; retry: Retry; close(): Promise<void> };

/**
 * Connects and makes the collections' indexes. The database is the one that the URL names, else `retrigger`. `answerWithinMs`: somebody waits for what is asked
 * later, so it ends by then; without it operations ride out 15 s.
 * @throws MongoFailure when the URL is wrong, the server refuses us, or none answers within 15 s.
 */
export async function connectMongo(url: string, clock: Clock, answerWithinMs?: number): Promise<MongoConnection> {
  const client = clientOf(url);
  const patient = retryWithin(RETRY_FOR_MS, clock);
  const db = client.db(databaseOf(url));
  try {
    await patient(() => client.connect());
    await patient(() => createIndexes(db));
  } catch (error) {
    await client.close();
    throw error;
  }
  const retry = answerWithinMs === undefined ? patient : answerWithin(answerWithinMs, clock);
  return { db, retry, close: () => client.close() };
}

function clientOf(url: string): MongoClient {
  try {
    return new MongoClient(url, PINNED);
  } catch (error) {
    throw new MongoFailure('bad_setting', error);
  }
}

/** The driver takes `test` when the URL names no database, and does not tell the two apart. */
const databaseOf = (url: string): string => decodeURIComponent(/^mongodb(?:\+srv)?:\/\/[^/]+\/([^/?]+)/.exec(url)?.[1] ?? DEFAULT_DATABASE);
