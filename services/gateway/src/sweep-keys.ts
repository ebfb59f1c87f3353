import type { Clock } from '@retrigger/ports/clock.ts';
import type { Document, DocumentStore } from '@retrigger/ports/document-store.ts';
import { API_KEY, keyOf, tenantOfKey } from './issued-keys.ts';

/** Dead keys are kept so long: twice as long as a repeat of the call that made one could bring it back (C4). */
const KEEP_MS = 48 * 3_600_000;
const SWEEP_EVERY_MS = 3_600_000;
const LISTED_AT_ONCE = 500;

/**
 * One turn: removes keys that were revoked or have expired two days ago. Any number of processes may do so at once. Returns when the next turn is due.
 * A key's own document goes last, so that one who dies in between leaves nothing that is never found again.
 */
export async function sweepKeys(documents: Pick<DocumentStore, 'listAll' | 'remove'>, clock: Clock): Promise<number> {
  for (let last: Document | null = null; ; ) {
    const found: Document[] = await documents.listAll(API_KEY, last, LISTED_AT_ONCE);
    for (const { id, tenantId, revokedAt, expiresAt } of found.map(keyOf)) {
      const ended = Math.min(...[revokedAt, expiresAt].map((at) => (at === null ? Number.POSITIVE_INFINITY : Date.parse(at))));
      if (clock.now() - ended < KEEP_MS) continue;
      const index = tenantOfKey(id);
      await documents.remove(index.kind, index.tenantId, index.id);
      await documents.remove(API_KEY, tenantId, id);
    }
    last = found.at(-1) ?? null;
    if (last === null || found.length < LISTED_AT_ONCE) return clock.now() + SWEEP_EVERY_MS;
  }
}
