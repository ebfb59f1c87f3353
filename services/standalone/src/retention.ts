import { STATUSES } from '@retrigger/domain/task/state.ts';
import { type ArchivePorts, archiveTenant } from '@retrigger/engine/archive-events.ts';
import { storedRetentions } from '@retrigger/gateway/tenant-settings.ts';
import type { Clock } from '@retrigger/ports/clock.ts';
import type { DocumentStore } from '@retrigger/ports/document-store.ts';

const EVERY_MS = 3_600_000;

/** One turn: moves what is older than its tenant keeps events into archives. Tenants that have not said how long keep them for ever. Returns when to look again. */
export async function retentionTurn(ports: ArchivePorts & { documents: DocumentStore }, clock: Clock): Promise<number> {
  for await (const { tenantId, keepMs } of storedRetentions(ports.documents)) {
    const now = clock.now();
    const moved = await archiveTenant(ports, tenantId, STATUSES, now - keepMs, now);
    if (moved > 0) ports.observer.log('info', 'old events were archived', { tenantId, events: moved });
  }
  return clock.now() + EVERY_MS;
}
