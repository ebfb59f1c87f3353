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

  async write({ kind, tenantId, id, version, body }: Document): Promise<'written' | 'conflict'> {
    const document = { _id: nameOf(kind, tenantId, id), kind, tenantId, id, version, json: JSON.stringify(body) };
    const written = await this.#mongo.retry(() => (version === 1 ? this.#insert(document) : this.#replace(document)));
    if (written) return 'written';
    // An attempt whose answer was lost may have written it: what stands there tells.
    const found = await this.#find(document._id);
    return found?.version === version && found.json === document.json ? 'written' : 'conflict';
  }

  async read(kind: string, tenantId: string, id: string): Promise<Document | undefined> {
    const found = await this.#find(nameOf(kind, tenantId, id));
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

  /** D1. */
  async #insert(document: StoredDocument): Promise<boolean> {
    const taken = await this.#documents.insertMany([document], { ordered: false }).then(() => [], duplicatesIn);
    return taken.length === 0;
  }

  async #replace(document: StoredDocument): Promise<boolean> {
    const { _id, ...replacement } = document;
    const { matchedCount } = await this.#documents.replaceOne({ _id, version: document.version - 1 }, replacement);
    return matchedCount === 1;
  }

  #find(_id: string) {
    return this.#mongo.retry(() => this.#documents.findOne({ _id }));
  }

  async #page(after: string, before: string, limit: number): Promise<Document[]> {
    const options = { sort: { _id: 1 }, limit, batchSize: limit + 1 } as const;
    return (await this.#mongo.retry(() => this.#documents.find({ _id: { $gt: after, $lt: before } }, options).toArray())).map(documentOf);
  }
}

const nameOf = (kind: string, tenantId: string, id: string): string => `${kind}/${tenantId}/${id}`;

/** Behind everything that begins with `path` and a slash: `0` is the character after it. */
const endOf = (path: string): string => `${path}0`;

const documentOf = ({ kind, tenantId, id, version, json }: StoredDocument): Document => ({
  ...{ kind, tenantId, id, version },
  body: JSON.parse(json),
});
