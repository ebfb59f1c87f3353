import type { Document, DocumentPlace, DocumentStore } from '@retrigger/ports/document-store.ts';
import type { Collection } from 'mongodb';
import type { MongoConnection } from './mongo-client.ts';
import { duplicatesIn } from './mongo-errors.ts';

/** `json` is the body, whose field names need not suit BSON. */
export type StoredDocument = { _id: string; kind: string; tenantId: string; id: string; version: number; json: string };

export class MongoDocumentStore implements DocumentStore {
  readonly #mongo: MongoConnection;
  readonly #documents: Collection<StoredDocument>;

  constructor(mongo: MongoConnection) {
    this.#mongo = mongo;
    this.#documents = mongo.db.collection('documents');
  }

  async write(asked: Document): Promise<'written' | 'conflict'> {
    if (asked.version === 1) return (await this.make([asked]))[0] ?? 'conflict';
    const document = storedOf(asked);
    if (await this.#mongo.retry(() => this.#replace(document))) return 'written';
    // An attempt whose answer was lost may have written it: what stands there tells.
    const found = await this.#mongo.retry(() => this.#documents.findOne({ _id: document._id }));
    return found !== null && isSame(found, document) ? 'written' : 'conflict';
  }

  async make(asked: Document[]): Promise<('written' | 'conflict')[]> {
    const documents = asked.map(storedOf);
    const there = new Map<string, StoredDocument>();
    await this.#mongo.retry(async () => {
      let isDone = documents.length === 0;
      while (!isDone) isDone = await this.#insert(documents, there);
    });
    return documents.map((document) => (isSame(there.get(document._id) ?? document, document) ? 'written' : 'conflict'));
  }

  async read(kind: string, tenantId: string, id: string): Promise<Document | undefined> {
    const found = await this.#mongo.retry(() => this.#documents.findOne({ _id: nameOf(kind, tenantId, id) }));
    return found === null ? undefined : documentOf(found);
  }

  list(kind: string, tenantId: string, after: string | null, limit: number): Promise<Document[]> {
    return this.#page(nameOf(kind, tenantId, after ?? ''), endOf(`${kind}/${tenantId}`), limit);
  }

  listAll(kind: string, after: DocumentPlace | null, limit: number): Promise<Document[]> {
    return this.#page(after === null ? `${kind}/` : nameOf(kind, after.tenantId, after.id), endOf(kind), limit);
  }

  remove(kind: string, tenantId: string, id: string): Promise<boolean> {
    const _id = nameOf(kind, tenantId, id);
    return this.#mongo.retry(() => this.#documents.deleteOne({ _id }).then(({ deletedCount }) => deletedCount === 1));
  }

  /**
   * D1. D3: the server stops at the first that is there already. Then it is looked for all that are, which is remembered in `there`, and the others are to be
   * inserted. An earlier attempt whose answer was lost may have made them: what stands there tells.
   */
  async #insert(documents: StoredDocument[], there: Map<string, StoredDocument>): Promise<boolean> {
    const missing = documents.filter(({ _id }) => !there.has(_id));
    if (missing.length === 0) return true;
    const taken = await this.#documents.insertMany(missing, { ordered: true }).then(() => [], duplicatesIn);
    if (taken.length === 0) return true;
    const found = await this.#documents.find({ _id: { $in: missing.map(({ _id }) => _id) } }, { batchSize: missing.length + 1 }).toArray();
    for (const document of found) there.set(document._id, document);
    return false;
  }

  async #replace(document: StoredDocument): Promise<boolean> {
    const { _id, ...replacement } = document;
    const { matchedCount } = await this.#documents.replaceOne({ _id, version: document.version - 1 }, replacement);
    return matchedCount === 1;
  }

  async #page(after: string, before: string, limit: number): Promise<Document[]> {
    const options = { sort: { _id: 1 }, limit, batchSize: limit + 1 } as const;
    return (await this.#mongo.retry(() => this.#documents.find({ _id: { $gt: after, $lt: before } }, options).toArray())).map(documentOf);
  }
}

const nameOf = (kind: string, tenantId: string, id: string): string => `${kind}/${tenantId}/${id}`;

/** Behind everything that begins with `path` and a slash: `0` is the character after it. */
const endOf = (path: string): string => `${path}0`;

const storedOf = ({ kind, tenantId, id, version, body }: Document): StoredDocument => ({
  ...{ _id: nameOf(kind, tenantId, id), kind, tenantId, id, version },
  json: JSON.stringify(body),
});

const isSame = (one: StoredDocument, other: StoredDocument): boolean => one.version === other.version && one.json === other.json;

const documentOf = ({ kind, tenantId, id, version, json }: StoredDocument): Document => ({
  ...{ kind, tenantId, id, version },
  body: JSON.parse(json),
});
