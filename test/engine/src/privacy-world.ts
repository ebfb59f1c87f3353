import { createHmac, randomBytes } from 'node:crypto';
import type { Command } from '@retrigger/domain/command.ts';
import { fingerprint } from '@retrigger/domain/idempotency.ts';
import { taskKey } from '@retrigger/domain/identifiers.ts';
import type { JsonObject } from '@retrigger/domain/json.ts';
import type { Role } from '@retrigger/domain/permissions.ts';
import { createPrivacy } from '@retrigger/engine/privacy.ts';
import { MemoryKeyStore } from '@retrigger/memory/memory-key-store.ts';
import type { Snapshot } from '@retrigger/ports/snapshot-store.ts';
import { ManualClock } from './manual-clock.ts';

/** Several processes that share a key store and snapshots, each with a memory of its own. */
export function privacyWorld() {
  const keys = new MemoryKeyStore();
  const clock = new ManualClock(1_772_000_000_000);
  const secrets = { derive: (...parts: (string | number)[]) => createHmac('sha256', 'test').update(parts.join('\n')).digest() };
  const tasks = new Map<string, Snapshot>();
  let reads = 0;
  const snapshots = {
    async load(asked: string[]) {
      reads++;
      return new Map(asked.flatMap((key) => (tasks.has(key) ? [[key, tasks.get(key) as Snapshot] as const] : [])));
    },
  };
  return {
    keys,
    clock,
    process: () => createPrivacy({ keys, secrets, snapshots, clock, freshBytes: randomBytes }),
    task: (taskId: string, sensitive: boolean) => tasks.set(taskKey('acme', taskId), { state: { sensitive } } as unknown as Snapshot),
    snapshotReads: () => reads,
  };
}

/** A command from a door, by an operator unless other roles are given. */
export const asked = (taskId: string, type: Command['type'], body: JsonObject, roles: Role[] = ['operator']) =>
  ({
    ...{ commandId: `about-${taskId}`, tenantId: 'acme', taskId, actor: { id: 'u_somebody', type: 'user' }, roles, correlationId: 'r' },
    ...{ fingerprint: fingerprint(body), type, body },
  }) as unknown as Command & { body: JsonObject; fingerprint: { [field: string]: string } };
