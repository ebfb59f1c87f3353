import type { KeyRecord, KeyStore } from '@retrigger/ports/key-store.ts';
import type { Collection } from 'mongodb';
import type { MongoConnection } from './mongo-client.ts';
import { duplicatesIn } from './mongo-errors.ts';

type KeyDocument = { _id: string; token: string; secret: string };

/**
 * Keys in a database of their own (the main one's name and `_keys`), so that they can be backed up, kept and thrown away apart from what they open.
 * K3 holds for readers. Deleted documents stay in MongoDB's oplog until it turns over, and in its files until the space is used again.
 */
export class MongoKeyStore implements KeyStore {
  readonly #mongo: MongoConnection;
  readonly #keys: Collection<KeyDocument>;

  private constructor(mongo: MongoConnection) {
    this.#mongo = mongo;
    this.#keys = mongo.db.client.db(`${mongo.db.databaseName}_keys`).collection('keys');
  }

  /** Makes the index when it is missing. */
  static async open(mongo: MongoConnection): Promise<MongoKeyStore> {
    const store = new MongoKeyStore(mongo);
    await mongo.retry(() => store.#keys.createIndexes([{ name: 'by_token', key: { token: 1 }, unique: true }])); // K2
    return store;
  }

  async obtain({ id, token, secret }: KeyRecord): Promise<KeyRecord> {
    const insert = () => this.#keys.bulkWrite([{ insertOne: { document: { _id: id, token, secret } } }]).then(() => [], duplicatesIn);
    for (;;) {
      const taken = await this.#mongo.retry(insert); // K1
      const stands = taken.length === 0 ? { id, token, secret } : await this.find(id);
      if (stands !== undefined) return stands; // else it was destroyed in between
    }
  }

  async find(id: string): Promise<KeyRecord | undefined> {
    const found = await this.#mongo.retry(() => this.#keys.findOne({ _id: id }));
    return found === null ? undefined : recordOf(found);
  }

  async byTokens(tokens: string[]): Promise<Map<string, KeyRecord>> {
    if (tokens.length === 0) return new Map();
    const found = await this.#mongo.retry(() => this.#keys.find({ token: { $in: tokens } }).toArray());
    return new Map(found.map((document) => [document.token, recordOf(document)]));
  }

  async destroy(token: string): Promise<void> {
    await this.#mongo.retry(() => this.#keys.deleteOne({ token }));
  }
}

const recordOf = ({ _id: id, token, secret }: KeyDocument): KeyRecord => ({ id, token, secret });
