import { hash, timingSafeEqual } from 'node:crypto';
import { signingSecret } from '@retrigger/config/signing-secret.ts';
import type { Clock } from '@retrigger/ports/clock.ts';
import type { DocumentStore } from '@retrigger/ports/document-store.ts';
import type { Secrets } from '@retrigger/ports/secrets.ts';
import type { Caller, Credentials, Signer } from './credentials.ts';
import { API_KEY, type IssuedKey, isKeyId, keyIdIn, keyOf, keyText, tenantOfKey } from './issued-keys.ts';
import { RecentDocuments } from './recent-documents.ts';

type Found = IssuedKey | undefined | Promise<IssuedKey | undefined>;

const MOST_PROVEN = 10_000;

/**
 * The keys that administrators have made.
 * C3: a key that was revoked is good nowhere 5 s later (Z1), and one that has expired is not good from that very millisecond on.
 * C5: whatever is wrong with a key, the answer is the same: undefined.
 * C6: that a text is the key of an id is checked once and then remembered by its digest; that the key is still good is looked at every time.
 */
export class KeyCredentials implements Credentials {
  readonly #recent: RecentDocuments;
  /** By the digest of the key. */
  readonly #proven = new Map<string, Pick<IssuedKey, 'tenantId' | 'id'>>();
  readonly #secrets: Secrets;
  readonly #clock: Clock;

  constructor({ documents, secrets, clock }: { documents: Pick<DocumentStore, 'read'>; secrets: Secrets; clock: Clock }) {
    this.#recent = new RecentDocuments(documents, clock);
    this.#secrets = secrets;
    this.#clock = clock;
  }

  identify(token: string): Caller | undefined | Promise<Caller | undefined> {
    const digest = hash('sha256', token, 'base64');
    const proven = this.#proven.get(digest);
    if (proven !== undefined) return this.#then(this.#inTenant(proven.tenantId, proven.id), (key) => this.#goodCaller(key)); // C6
    const id = keyIdIn(token);
    if (id === undefined || !isKeyId(this.#secrets, id)) return undefined; // C2
    return this.#then(this.#find(id), (key) =>
      key !== undefined && this.#isKeyOf(key, token, digest) ? this.#goodCaller(key) : undefined,
    );
  }

  async signer(keyId: string): Promise<Signer | undefined> {
    const key = isKeyId(this.#secrets, keyId) ? await this.#find(keyId) : undefined; // C2
    const caller = this.#goodCaller(key);
    return caller && { secret: signingSecret(this.#secrets, { tenantId: caller.tenantId, keyId }), caller };
  }

  forget(keyId: string): void {
    this.#recent.forget(keyId);
  }

  #find(id: string): Found {
    const index = this.#recent.read(tenantOfKey(id));
    return index instanceof Promise
      ? index.then((found) => this.#inTenant(found?.body.tenantId, id))
      : this.#inTenant(index?.body.tenantId, id);
  }

  #inTenant(tenantId: unknown, id: string): Found {
    if (typeof tenantId !== 'string') return undefined;
    const found = this.#recent.read({ kind: API_KEY, tenantId, id });
    return found instanceof Promise ? found.then((one) => one && keyOf(one)) : found && keyOf(found);
  }

  #isKeyOf({ tenantId, id }: IssuedKey, token: string, digest: string): boolean {
    const [expected, given] = [Buffer.from(keyText(this.#secrets, { tenantId, id })), Buffer.from(token)];
    if (expected.length !== given.length || !timingSafeEqual(expected, given)) return false; // C1
    const [oldest] = this.#proven.keys();
    if (this.#proven.size >= MOST_PROVEN && oldest !== undefined) this.#proven.delete(oldest);
    this.#proven.set(digest, { tenantId, id });
    return true;
  }

  #goodCaller(key: IssuedKey | undefined): Caller | undefined {
    return key !== undefined && this.#isGood(key) ? callerOf(key) : undefined;
  }

  /** At once where it can be. */
  #then<T>(key: Found, next: (key: IssuedKey | undefined) => T): T | Promise<T> {
    return key instanceof Promise ? key.then(next) : next(key);
  }

  #isGood({ revokedAt, expiresAt }: IssuedKey): boolean {
    return revokedAt === null && (expiresAt === null || this.#clock.now() < Date.parse(expiresAt)); // C3
  }
}

const callerOf = ({ tenantId, userId, roles }: IssuedKey): Caller => ({ tenantId, userId, roles });
