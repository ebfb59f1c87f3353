import type { Command } from '@retrigger/domain/command.ts';
import type { ChargedWindow } from '@retrigger/ports/limiter.ts';
import { type CommandLimits, LONGEST_WINDOW_MS, limitsOf } from './command-limits.ts';

/** A command that a door has charged for, as the work log still has it. `at` is log time. */
export type Charged = { command: Pick<Command, 'tenantId' | 'taskId' | 'actor'>; cost: number; at: number };

/** From when on the log tells what the windows hold that are open now. */
export const chargedSince = (now: number): number => now - LONGEST_WINDOW_MS;

/**
 * The windows that are open at `now`, made anew from what was charged, oldest first.
 * The source is the work log and not the events: it alone has what was charged and then refused, what is not decided yet, and which reschedules were to now.
 * Y1: a window holds all that was charged within its length before `now`, which is at least what the one that it goes on with held: a restart gives nobody a
 * fresh quota. It ends its length after the first of that, as if that had opened it.
 */
export function openWindows(charged: Iterable<Charged>, limitsFor: (tenantId: string) => CommandLimits, now: number): ChargedWindow[] {
  const windows = new Map<string, ChargedWindow>();
  for (const { command, cost, at } of charged) {
    for (const limit of limitsOf(limitsFor(command.tenantId), command)) {
      const endsAt = Math.min(at, now) + limit.windowMs;
      if (endsAt <= now) continue;
      const open = windows.get(limit.key);
      if (open === undefined) windows.set(limit.key, { limit, used: cost, endsAt });
      else open.used += cost; // Y1
    }
  }
  return [...windows.values()];
}
