import { chance } from '@retrigger/domain/chance.ts';
import type { Due } from '@retrigger/ports/snapshot-store.ts';
import type { DueTime } from './due-times.ts';

const SEND_AGAIN_MS = 30_000;
const LOOK_AGAIN_MS = 60_000;
const LONGEST_PAUSE_MS = 3_600_000;

/** When to send another Wake if this one has no effect (K2, K7); but what else is due before then is looked at in its time. Epoch milliseconds. */
export function againAt({ key, wakeAt, wakeKind, dueAt }: Omit<DueTime, 'fireAt' | 'isSent' | 'isIdle'>, now: number): number {
  const growing = wakeKind === 'heartbeat' ? 0 : (now - wakeAt) / 10;
  const pause = wakeKind === 'check' ? Math.max(LOOK_AGAIN_MS, growing) * (1 + spread(key) / 4) : Math.max(SEND_AGAIN_MS, growing);
  const again = now + Math.ceil(Math.min(LONGEST_PAUSE_MS, pause));
  return typeof dueAt === 'number' && dueAt > now ? Math.min(dueAt, again) : again;
}

/** When a new owner looks at what the store says is due: at its time, but not at all that have waited for long at once (K7). */
export const firstLookAt = ({ key, wakeAt, wakeKind }: Due, now: number): number =>
  wakeKind === 'check' ? Math.max(wakeAt, now + LOOK_AGAIN_MS * spread(key)) : wakeAt;

/** The same for the same aggregate, in [0, 1). */
const spread = (key: string): number => chance('look again', key);
