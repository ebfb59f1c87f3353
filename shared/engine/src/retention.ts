import { parseDuration } from '@retrigger/domain/duration.ts';
import type { Clock } from '@retrigger/ports/clock.ts';
import type { Document, DocumentStore } from '@retrigger/ports/document-store.ts';
import { type ArchivePorts, archiveTenant } from './archive-events.ts';
import { deadLettersIn, KEEPER, NO_TENANT } from './dead-letter-store.ts';

/** Where a tenant's settings are kept, and its retention among them. */
export const TENANT_SETTINGS = 'tenant-settings';
const LISTED_AT_ONCE = 1_000;

/** For how long a tenant keeps what; durations, for ever when absent. */
export type Retention = { events?: string; deadLetters?: string };

export type RetentionPorts = ArchivePorts & { documents: DocumentStore; clock: Clock };

/**
 * Moves what is older than its tenant keeps events into archives, and deletes dead letters that are older than it keeps those (of those that prove no tenant the
 * keeper says). Returns how many events moved.
 */
export async function archiveDue(ports: RetentionPorts, statuses: readonly string[]): Promise<number> {
  const { clock, documents, observer } = ports;
  const deadLetters = deadLettersIn(documents);
  let total = 0;
  for await (const { tenantId, retention } of retentions(documents)) {
    const now = clock.now();
    const [eventsMs, deadLettersMs] = [retention.events, retention.deadLetters].map((text) => parseDuration(text ?? ''));
    if (deadLettersMs !== undefined) {
      let swept = 0;
      for (const name of tenantId === KEEPER ? [tenantId, NO_TENANT] : [tenantId])
        swept += await deadLetters.sweep(name, now - deadLettersMs);
      if (swept > 0) observer.log('info', 'old dead letters were deleted', { tenantId, deadLetters: swept });
    }
    const moved = eventsMs === undefined ? 0 : await archiveTenant(ports, tenantId, statuses, now - eventsMs, now);
    if (moved > 0) observer.log('info', 'old events were archived', { tenantId, events: moved });
    total += moved;
  }
  return total;
}

async function* retentions(documents: Pick<DocumentStore, 'listAll'>): AsyncGenerator<{ tenantId: string; retention: Retention }, void> {
  for (let last: Document | null = null; ; ) {
    const found: Document[] = await documents.listAll(TENANT_SETTINGS, last, LISTED_AT_ONCE);
    for (const { tenantId, body } of found) yield { tenantId, retention: (body as { retention?: Retention }).retention ?? {} };
    last = found.at(-1) ?? null;
    if (last === null || found.length < LISTED_AT_ONCE) return;
  }
}
