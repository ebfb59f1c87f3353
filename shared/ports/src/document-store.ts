import type { JsonObject } from '@retrigger/domain/json.ts';

/** What administration makes: an API key, a tenant's settings, a subscription. `version` is 1 when it is made, and one more with each change. */
export type Document = { kind: string; tenantId: string; id: string; version: number; body: JsonObject };

/** Where a list over all tenants has got to. */
export type DocumentPlace = { tenantId: string; id: string };

/**
 * Small documents, named by kind, tenant and id, that change rarely and are read as a whole.
 * D1: a document is written only over the version that its writer saw (`version - 1`; for 1 there must be none): of two writers one is told.
 * The same document written twice may be told `written` both times. D2: a write is durable, and visible to every reader, when it resolves.
 * D3: of documents that are made together, none is there before those in front of it, also when the writer or the store dies on the way.
 * Not the store's: what is in them, who may see them, a history (what must be audited is an event).
 */
export interface DocumentStore {
  write(document: Document): Promise<'written' | 'conflict'>;
  /** Makes new documents (of version 1), in this order (D3); the outcome of each, as `write` tells it. One that is there already holds up none behind it. */
  make(documents: Document[]): Promise<('written' | 'conflict')[]>;
  read(kind: string, tenantId: string, id: string): Promise<Document | undefined>;
  /** A tenant's documents of a kind in id order (by code unit), behind `after` (null = from the first). */
  list(kind: string, tenantId: string, after: string | null, limit: number): Promise<Document[]>;
  /** The same over all tenants, in an order of the store's own that never changes. */
  listAll(kind: string, after: DocumentPlace | null, limit: number): Promise<Document[]>;
  /** False when there was none. */
  remove(kind: string, tenantId: string, id: string): Promise<boolean>;
}
