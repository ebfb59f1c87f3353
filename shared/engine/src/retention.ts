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
 * keeper says). Returns how many events moved. One tenant's trouble keeps nobody else's from being done. @throws the first, when all others are done.
 */
export async function archiveDue(ports: RetentionPorts, statuses: readonly string[]): Promise<number> {
  const failures: unknown[] = [];
  let total = 0;
  for await (const { tenantId, retention } of retentions(ports.documents)) {
    try {
      await sweepDeadLetters(ports, tenantId, parseDuration(retention.deadLetters ?? ''));
      total += await archive(ports, tenantId, statuses, parseDuration(retention.events ?? ''));
    } catch (error) {
      ports.observer.log('error', 'what a tenant no longer keeps could not be taken away', { tenantId, error: String(error) });
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
  return total;
}

/** `keepMs` undefined: for ever. */
async function sweepDeadLetters(
  { documents, clock, observer }: RetentionPorts,
  tenantId: string,
  keepMs: number | undefined,
): Promise<void> {
  if (keepMs === undefined) return;
  const store = deadLettersIn(documents);
  let swept = 0;
  for (const name of tenantId === KEEPER ? [tenantId, NO_TENANT] : [tenantId]) swept += await store.sweep(name, clock.now() - keepMs);
  if (swept > 0) observer.log('info', 'old dead letters were deleted', { tenantId, deadLetters: swept });
}

/** The same for events. */
async function archive(ports: RetentionPorts, tenantId: string, statuses: readonly string[], keepMs: number | undefined): Promise<number> {
  if (keepMs === undefined) return 0;
  const now = ports.clock.now();
  const moved = await archiveTenant(ports, tenantId, statuses, now - keepMs, now);
  if (moved > 0) ports.observer.log('info', 'old events were archived', { tenantId, events: moved });
  return moved;
}

async function* retentions(documents: Pick<DocumentStore, 'listAll'>): AsyncGenerator<{ tenantId: string; retention: Retention }, void> {
  for (let last: Document | null = null; ; ) {
    const found: Document[] = await documents.listAll(TENANT_SETTINGS, last, LISTED_AT_ONCE);
    for (const { tenantId, body } of found) yield { tenantId, retention: (body as { retention?: Retention }).retention ?? {} };
    last = found.at(-1) ?? null;
    if (last === null || found.length < LISTED_AT_ONCE) return;
  }
}
