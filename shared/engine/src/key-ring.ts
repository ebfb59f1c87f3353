import { createHmac } from 'node:crypto';
import { NAME_TOKEN, nameToken, SALT_BYTES } from '@retrigger/domain/privacy/name-token.ts';
import type { DataKey } from '@retrigger/domain/privacy/sealed-value.ts';
import { unwrap, WRAP_NONCE_BYTES, wrap } from '@retrigger/domain/privacy/wrapped-secret.ts';
import type { Clock } from '@retrigger/ports/clock.ts';
import type { KeyRecord, KeyStore } from '@retrigger/ports/key-store.ts';
import type { Secrets } from '@retrigger/ports/secrets.ts';
import { ShortMemory } from './short-memory.ts';

/** A name, and what proves that its token is its own (base64url). */
export type Name = { name: string; salt: string };

export type KeyRingPorts = {
  keys: KeyStore;
  /** Of the master key, which need not be the server secret. */
  secrets: Secrets;
  clock: Clock;
  /** So many bytes of chance. */
  freshBytes(count: number): Buffer;
};

/** So long a process may go on with what was erased elsewhere. */
export const REMEMBERED_MS = 5_000;
const MOST_REMEMBERED = 50_000;
const KEY_BYTES = 32;
const TOKEN_BYTES = 16;

type Kind = 'user' | 'task';

/**
 * Who stands behind a token, and the keys of sensitive tasks.
 * Y1: a user of a tenant has one token, made when first seen; a sensitive task has one key, made before anything of it is appended.
 * Y2: when a record is destroyed, what it opened stays closed, in this process after `REMEMBERED_MS` at the latest; the same user or task gets another one.
 * Y3: records of one tenant say nothing to another: they are found and opened by keys of its own.
 */
export class KeyRing {
  readonly #ports: KeyRingPorts;
  readonly #tokens: ShortMemory<KeyRecord | undefined>;
  readonly #secrets: ShortMemory<Buffer | undefined>;

  constructor(ports: KeyRingPorts) {
    this.#ports = ports;
    this.#tokens = new ShortMemory(ports.clock, REMEMBERED_MS, MOST_REMEMBERED);
    this.#secrets = new ShortMemory(ports.clock, REMEMBERED_MS, MOST_REMEMBERED);
  }

  /** The token of a user, who gets one when there is none. */
  async tokenOf(tenantId: string, userId: string): Promise<string> {
    const found = await this.#find(tenantId, userId);
    if (found !== undefined) return found.token;
    const made = this.#obtain('user', tenantId, userId, () => this.#newUser(tenantId, userId));
    const { token } = (await this.#tokens.put(`${tenantId}/${userId}`, made)) ?? (await made);
    return token;
  }

  /** The token of a user, if they have one. */
  findToken = async (tenantId: string, userId: string): Promise<string | undefined> => (await this.#find(tenantId, userId))?.token;

  /** The key of a task, which gets one when there is none. Not remembered: what is sealed under a key that was just destroyed would be lost. */
  async keyOf(tenantId: string, taskId: string): Promise<DataKey> {
    const found = await this.findKey(tenantId, taskId);
    if (found !== undefined) return found;
    const record = await this.#obtain('task', tenantId, taskId, () => this.#newTask());
    return { token: record.token, key: this.#unwrapped(tenantId, record) };
  }

  /** The key of a task, if it has one. */
  async findKey(tenantId: string, taskId: string): Promise<DataKey | undefined> {
    const record = await this.#ports.keys.find(this.#idOf('task', tenantId, taskId));
    return record && { token: record.token, key: this.#unwrapped(tenantId, record) };
  }

  /** The names behind these tokens, and the keys with these; those that were destroyed, or are another tenant's, are left out. */
  async open(tenantId: string, tokens: Iterable<string>): Promise<{ names: Map<string, Name>; keys: Map<string, DataKey> }> {
    const asked = new Map([...new Set(tokens)].map((token) => [token, this.#secrets.get(`${tenantId}/${token}`)]));
    const unknown = [...asked].flatMap(([token, secret]) => (secret === undefined ? [token] : []));
    if (unknown.length > 0) {
      const found = this.#ports.keys.byTokens(unknown);
      for (const token of unknown) {
        const secret = found.then((records) => this.#secretOf(tenantId, records.get(token)));
        asked.set(token, this.#secrets.put(`${tenantId}/${token}`, secret));
      }
    }
    const [names, keys] = [new Map<string, Name>(), new Map<string, DataKey>()];
    for (const [token, asking] of asked) {
      const secret = await asking;
      if (secret === undefined) continue;
      if (NAME_TOKEN.test(token)) names.set(token, nameOf(secret));
      else keys.set(token, { token, key: secret });
    }
    return { names, keys };
  }

  /** Y2. Whatever it opened stays closed. */
  async destroy(token: string): Promise<void> {
    await this.#ports.keys.destroy(token);
    this.#tokens.clear();
    this.#secrets.clear();
  }

  #find(tenantId: string, userId: string): Promise<KeyRecord | undefined> {
    return this.#tokens.remember(`${tenantId}/${userId}`, () => this.#ports.keys.find(this.#idOf('user', tenantId, userId)));
  }

  async #obtain(kind: Kind, tenantId: string, name: string, make: () => { token: string; secret: Buffer }): Promise<KeyRecord> {
    const { token, secret } = make();
    const wrapped = wrap(this.#masterKey(tenantId), token, this.#ports.freshBytes(WRAP_NONCE_BYTES), secret);
    return this.#ports.keys.obtain({ id: this.#idOf(kind, tenantId, name), token, secret: wrapped });
  }

  #newUser(tenantId: string, userId: string): { token: string; secret: Buffer } {
    const salt = this.#ports.freshBytes(SALT_BYTES);
    return { token: nameToken(salt, tenantId, userId), secret: Buffer.concat([salt, Buffer.from(userId)]) };
  }

  #newTask = (): { token: string; secret: Buffer } => ({
    token: `k_${this.#ports.freshBytes(TOKEN_BYTES).toString('base64url')}`,
    secret: this.#ports.freshBytes(KEY_BYTES),
  });

  /** Y3: of another tenant nothing can be unwrapped. */
  #secretOf(tenantId: string, record: KeyRecord | undefined): Buffer | undefined {
    try {
      return record && this.#unwrapped(tenantId, record);
    } catch {
      return undefined;
    }
  }

  #unwrapped = (tenantId: string, { token, secret }: KeyRecord): Buffer => unwrap(this.#masterKey(tenantId), token, secret);

  #masterKey = (tenantId: string): Buffer => this.#ports.secrets.derive('key-wrap', tenantId, 'records', 1); // Y3

  #idOf = (kind: Kind, tenantId: string, name: string): string =>
    createHmac('sha256', this.#ports.secrets.derive('key-index', tenantId, kind, 1))
      .update(name)
      .digest('base64url'); // Y3
}

const nameOf = (secret: Buffer): Name => ({
  name: secret.subarray(SALT_BYTES).toString(),
  salt: secret.subarray(0, SALT_BYTES).toString('base64url'),
});
