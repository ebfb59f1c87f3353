import { NO_HASH } from '@retrigger/domain/event.ts';
import type { JsonObject } from '@retrigger/domain/json.ts';
import type { DocumentStore } from '@retrigger/ports/document-store.ts';

const ARCHIVED = 'archived-events';

/**
 * What is remembered of events that are in an archive: the last one's sequence, hash and timestamp, and the state after it. The history that is stored goes on from
 * there. `last` 0: nothing is archived.
 */
export type Archived = { last: number; hash: string; at: string; state: JsonObject | null };

export const NOTHING_ARCHIVED: Archived = { last: 0, hash: NO_HASH, at: '', state: null };

type Documents = Pick<DocumentStore, 'read' | 'write'>;

/** Of the stream `tenantId/taskId`. */
export async function archivedOf(documents: Pick<Documents, 'read'>, key: string): Promise<Archived> {
  const [tenantId = '', taskId = ''] = key.split('/');
  const found = await documents.read(ARCHIVED, tenantId, taskId);
  return found === undefined ? NOTHING_ARCHIVED : (found.body as Archived);
}

/** Of two that archive at once the one who has got further is remembered; a restore goes `back`. */
export async function saveArchived(documents: Documents, key: string, archived: Archived, back = false): Promise<void> {
  const [tenantId = '', taskId = ''] = key.split('/');
  for (;;) {
    const before = await documents.read(ARCHIVED, tenantId, taskId);
    if (!back && ((before?.body as Archived | undefined)?.last ?? 0) >= archived.last) return;
    const document = { kind: ARCHIVED, tenantId, id: taskId, version: (before?.version ?? 0) + 1, body: archived as JsonObject };
    if ((await documents.write(document)) === 'written') return;
  }
}
