import type { KeyRecord, KeyStore } from '@retrigger/ports/key-store.ts';

/** Keys in memory, for tests. */
export class MemoryKeyStore implements KeyStore {
  readonly #byId = new Map<string, KeyRecord>();
  readonly #byToken = new Map<string, KeyRecord>();

  async obtain(record: KeyRecord): Promise<KeyRecord> {
    const stands = this.#byId.get(record.id);
    if (stands !== undefined) return { ...stands }; // K1
    this.#byId.set(record.id, { ...record });
    this.#byToken.set(record.token, { ...record });
    return { ...record };
  }

  async find(id: string): Promise<KeyRecord | undefined> {
    const found = this.#byId.get(id);
    return found && { ...found };
  }

  async byTokens(tokens: string[]): Promise<Map<string, KeyRecord>> {
    return new Map(
      tokens.flatMap((token) => {
        const found = this.#byToken.get(token);
        return found === undefined ? [] : [[token, { ...found }] as const];
      }),
    );
  }

  async destroy(token: string): Promise<void> {
    const found = this.#byToken.get(token);
    this.#byToken.delete(token);
    if (found !== undefined) this.#byId.delete(found.id); // K3
  }
}
