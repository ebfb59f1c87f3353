/**
 * What one subject's name or one sensitive task's data can be opened with. `id` is a keyed digest of whom it belongs to, so that it can be found and not read;
 * `token` is its public name; `secret` is wrapped: only the master key, which the store doesn't have, opens it.
 */
export type KeyRecord = { id: string; token: string; secret: string };

/**
 * The keys, apart from everything that they open.
 * K1: of several records with one id the first stays; `obtain` gives the one that stands, once that is durable.
 * K2: a token belongs to one record, for ever: `obtain` is given fresh ones.
 * K3: when `destroy` has resolved no reader finds the record, and no file of the store holds any part of it. (An adapter whose server keeps deleted data for a
 * while says so.) One that is not there is no error.
 */
export interface KeyStore {
  obtain(record: KeyRecord): Promise<KeyRecord>;
  find(id: string): Promise<KeyRecord | undefined>;
  /** Those that exist, by token. */
  byTokens(tokens: string[]): Promise<Map<string, KeyRecord>>;
  destroy(token: string): Promise<void>;
}
