import { partsOfKey } from '@retrigger/domain/identifiers.ts';
import type { SnapshotStore } from '@retrigger/ports/snapshot-store.ts';

const PAGE = 500;

/** Ids of all tasks that wait for a task, or once did, in id order. */
export async function waitingFor(snapshots: Pick<SnapshotStore, 'waiting'>, key: string): Promise<string[]> {
  const { tenantId, taskId } = partsOfKey(key);
  const all: string[] = [];
  for (let after: string | null = null; ; after = all.at(-1) ?? null) {
    const page = await snapshots.waiting(tenantId, taskId, after, PAGE);
    all.push(...page);
    if (page.length < PAGE) return all;
  }
}
