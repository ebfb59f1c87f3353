import type { Command } from '@retrigger/domain/command.ts';
import type { Limit, Limiter } from '@retrigger/ports/limiter.ts';
import type { Observer } from '@retrigger/ports/observer.ts';
import { type LimitsFor, limitsOf } from './command-limits.ts';

export type ChargeOutcome =
  | { kind: 'charged'; cost: number; giveBack(): Promise<void> }
  /** The limit's `cost` is what was asked of it. */
  | { kind: 'limited'; limit: Limit; remaining: number; retryAfterMs: number };

const FREE: ChargeOutcome = { kind: 'charged', cost: 0, giveBack: async () => {} };

/**
 * What a command is charged for, and given back when it does not reach the log. Limits that can't be asked let nothing through (the charge throws): an
 * installation that lost them would otherwise have none.
 */
export class CommandCharges {
  readonly #limiter: Limiter;
  readonly #observer: Observer;
  readonly #limitsFor: LimitsFor;

  constructor(ports: { limiter: Limiter; observer: Observer }, limitsFor: LimitsFor) {
    this.#limiter = ports.limiter;
    this.#observer = ports.observer;
    this.#limitsFor = limitsFor;
  }

  /** `what`: how much, or the tasks that a bulk triggers, one for each. @throws when the limits can't be asked. */
  async charge(command: Command, what: number | readonly string[]): Promise<ChargeOutcome> {
    const [cost, tasks] = typeof what === 'number' ? [what] : [what.length, what];
    const limits = cost === 0 ? [] : limitsOf(await this.#limitsFor(command.tenantId), command, tasks);
    if (limits.length === 0) return FREE;
    const charge = await this.#limiter.charge(limits, cost).catch((error: unknown) => {
      this.#observer.count('limits_unavailable_total', {});
      throw error;
    });
    if (charge.kind === 'charged') return { kind: 'charged', cost, giveBack: () => this.#limiter.refund(limits, cost).catch(() => {}) };
    const { name, points, remaining, retryAfterMs } = charge;
    const limit = limits.find((one) => one.name === name) ?? { name, key: '', points, windowMs: 0 };
    return { kind: 'limited', limit: { ...limit, cost: limit.cost ?? cost }, remaining, retryAfterMs };
  }
}
