import { dependentsKey } from '@retrigger/domain/decider.ts';
import type { SnapshotStore } from '@retrigger/ports/snapshot-store.ts';
import type { Needs } from './decide-batch.ts';
import { waitingFor } from './waiting-for.ts';

export type EvidenceStore = Pick<SnapshotStore, 'load' | 'waiting'>;

/**
 * Reads what decisions need of other aggregates and adds it to the evidence: the keys, everything that those lead to where a need can expand, and dependents.
 * Y3: level by level, all needs at once, each state once: a closure costs as many reads as it is deep, not as many decisions.
 */
export async function gatherEvidence(snapshots: EvidenceStore, evidence: Map<string, unknown>, needs: Needs[]): Promise<void> {
  let fronts = needs.map(({ keys, expand }) => ({ keys, expand, seen: new Set(keys) }));
  while (fronts.length > 0) {
    const unread = [...new Set(fronts.flatMap(({ keys }) => keys))].filter((key) => !evidence.has(key));
    if (unread.length > 0) {
      const found = await snapshots.load(unread);
      for (const key of unread) evidence.set(key, found.get(key)?.state);
    }
    fronts = fronts.flatMap(({ keys, expand, seen }) => {
      const next: string[] = [];
      if (expand === undefined) return [];
      for (const one of keys) {
        for (const key of expand(evidence.get(one))) {
          if (seen.has(key)) continue;
          seen.add(key);
          next.push(key);
        }
      }
      return next.length === 0 ? [] : [{ keys: next, expand, seen }];
    });
  }
  for (const key of new Set(needs.flatMap(({ dependentsOf }) => dependentsOf ?? [])))
    evidence.set(dependentsKey(key), await waitingFor(snapshots, key));
}
