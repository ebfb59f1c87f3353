import { parseDuration } from '@retrigger/domain/duration.ts';
import type { Clock } from '@retrigger/ports/clock.ts';
import type { Document, DocumentStore } from '@retrigger/ports/document-store.ts';
import { type ArchivePorts, archiveTenant } from './archive-events.ts';

/** Where a tenant's settings are kept; `retention.events` is for how long it keeps events, a duration. */
export const TENANT_SETTINGS = 'tenant-settings';
const LISTED_AT_ONCE = 1_000;

export type RetentionPorts = ArchivePorts & { documents: Pick<DocumentStore, 'read' | 'write' | 'listAll'>; clock: Clock };

/** Moves what is older than its tenant keeps events into archives; those that have not said how long keep them for ever. Returns how many events moved. */
export async function archiveDue(ports: RetentionPorts, statuses: readonly string[]): Promise<number> {
  let total = 0;
  for await (const { tenantId, keepMs } of retentions(ports.documents)) {
    const now = ports.clock.now();
    const moved = await archiveTenant(ports, tenantId, statuses, now - keepMs, now);
    if (moved > 0) ports.observer.log('info', 'old events were archived', { tenantId, events: moved });
    total += moved;
  }
  return total;
}

async function* retentions(documents: Pick<DocumentStore, 'listAll'>): AsyncGenerator<{ tenantId: string; keepMs: number }, void> {
  for (let last: Document | null = null; ; ) {
    const found: Document[] = await documents.listAll(TENANT_SETTINGS, last, LISTED_AT_ONCE);
    for (const { tenantId, body } of found) {
      const keepMs = parseDuration((body as { retention?: { events?: string } }).retention?.events ?? '');
      if (keepMs !== undefined) yield { tenantId, keepMs };
    }
    last = found.at(-1) ?? null;
    if (last === null || found.length < LISTED_AT_ONCE) return;
  }
}
