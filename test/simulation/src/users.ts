import type { BulkBody, BulkCommandBody } from '@retrigger/domain/bulk/commands.ts';
import type { Conditions } from '@retrigger/domain/conditions.ts';
import { formatInstant } from '@retrigger/domain/instant.ts';
import type { JsonObject } from '@retrigger/domain/json.ts';
import type { Outcome } from '@retrigger/domain/refusal.ts';
import type { Schedule } from '@retrigger/domain/schedule.ts';
import type { ChangeTaskBody, CreateTaskBody, TaskCommandBody } from '@retrigger/domain/task/commands.ts';
import type { Chance } from './chance.ts';
import type { Caller, Request } from './door.ts';

const ANN: Caller = { id: 'ann', type: 'user', roles: ['operator'] };
const BOB: Caller = { id: 'bob', type: 'user', roles: ['operator'] };
export const ROOT: Caller = { id: 'root', type: 'user', roles: ['admin'] };

const WHAT = { create: 1, trigger: 6, reschedule: 12, cancel: 1, change: 2, rewire: 6, repeat: 5, bulk: 9 };

/** What `users` see: the tasks that exist, and the time. */
export type Sight = { exists(tenantId: string, taskId: string): boolean; now(): number };

/** People who ask for all that a door lets in; what it refuses by itself (unknown tasks, a task that depends on itself) they never ask. */
export class Users {
  readonly #chance: Chance;
  readonly #sight: Sight;
  readonly #tenants: string[];
  readonly #tasks: string[];
  readonly #asked: Request[] = [];
  #keys = 0;

  constructor(chance: Chance, sight: Sight) {
    this.#chance = chance;
    this.#sight = sight;
    this.#tenants = ['acme', 'zeta'].slice(0, chance.between(1, 2));
    this.#tasks = ['a', 'b', 'c', 'd', 'e', 'f'].slice(0, chance.between(3, 6));
  }

  next(): Request {
    const what = this.#chance.weighted(WHAT);
    if (what === 'repeat' && this.#asked.length > 0) return this.#repeat();
    const tenantId = this.#chance.pick(this.#tenants);
    const known = this.#tasks.filter((id) => this.#sight.exists(tenantId, id));
    const unknown = this.#tasks.filter((id) => !known.includes(id));
    if (what === 'bulk' && known.length > 1) return this.#remember({ ...this.#bulk(known), tenantId, taskId: '-', caller: this.#caller() });
    const isNew = what === 'create' || known.length < 2 || (unknown.length > 0 && this.#chance.is(0.3));
    const taskId = this.#chance.pick(
      isNew && unknown.length > 0 && this.#chance.is(0.9)
        ? unknown
        : this.#chance.is(0.03)
          ? this.#tasks
          : known.length > 0
            ? known
            : this.#tasks,
    );
    const body = isNew ? this.#create(known.filter((id) => id !== taskId)) : this.#body(what, taskId, known);
    return this.#remember({ tenantId, taskId, caller: isNew ? ANN : this.#caller(), ...body });
  }

  #caller(): Caller {
    return { ann: ANN, bob: BOB, root: ROOT }[this.#chance.weighted({ ann: 20, bob: 1, root: 2 })];
  }

  #remember(asked: Omit<Request, 'key'>): Request {
    const request = { ...asked, key: `k${++this.#keys}` } as Request;
    this.#asked.push(request);
    return request;
  }

  /** Some of the tasks, in any order; sometimes one that doesn't exist, and items that wait for each other. */
  #bulk(known: string[]): BulkCommandBody {
    const some = known.filter(() => this.#chance.is(0.6));
    const chosen = (some.length > 0 ? some : known.slice(0, 2)).sort(() => this.#chance.between(-1, 1));
    const named = this.#chance.is(0.05) ? [...chosen, 'nobody'] : chosen;
    const allOrNothing = this.#chance.is(0.7) ? { allOrNothing: true } : {};
    const others = (taskId: string) => known.filter((id) => id !== taskId);
    if (this.#chance.is(0.5)) {
      const tasks: BulkBody['tasks'] = named.map((taskId) =>
        this.#chance.is(0.15) ? { taskId, conditions: this.#conditions(others(taskId)) } : { taskId },
      );
      return { type: 'BulkTrigger', body: { tasks, ...allOrNothing } };
    }
    const tasks: BulkBody['tasks'] = named.map((taskId) =>
      this.#chance.is(0.4) ? { taskId, schedule: this.#schedule(others(taskId)) } : { taskId },
    );
    return { type: 'BulkReschedule', body: { tasks, schedule: this.#schedule([]), ...allOrNothing } };
  }

  /** Some of what was asked before, to be asked again. */
  again(count: number): Request[] {
    return Array.from({ length: Math.min(count, this.#asked.length) }, () => this.#chance.pick(this.#asked));
  }

  /** The same key again: the same request, or another body under it. */
  #repeat(): Request {
    const before = this.#chance.pick(this.#asked.slice(-8));
    if (this.#chance.is(0.7)) return before;
    return { ...before, body: { ...before.body, ...this.#other(before.type) } } as Request;
  }

  #other(type: Request['type']): JsonObject {
    if (type === 'CancelTask' || type === 'RescheduleTask') return { reason: 'another' };
    return { context: { other: true } };
  }

  #body(what: keyof typeof WHAT, taskId: string, known: string[]): TaskCommandBody {
    const others = known.filter((id) => id !== taskId);
    switch (what) {
      case 'trigger':
        return { type: 'TriggerTask', body: this.#chance.is(0.3) ? { conditions: this.#conditions(others) } : {} };
      case 'reschedule': {
        const flags = { ...(this.#chance.is(0.4) ? { force: true } : {}), ...(this.#chance.is(0.15) ? { cascade: true } : {}) };
        return { type: 'RescheduleTask', body: { schedule: this.#schedule(others), ...flags } };
      }
      case 'cancel':
        return { type: 'CancelTask', body: {} };
      case 'change':
        return { type: 'ChangeTask', body: this.#settings() };
      default:
        return { type: 'ChangeTask', body: { dependencies: this.#some(others), ...(this.#chance.is(0.3) ? this.#settings() : {}) } };
    }
  }

  #create(known: string[]): TaskCommandBody {
    const body: CreateTaskBody = { type: 'job', ...this.#settings() };
    if (this.#chance.is(0.5)) body.dependencies = this.#some(known);
    if (this.#chance.is(0.4)) body.schedule = this.#schedule(known);
    return { type: 'CreateTask', body };
  }

  #settings(): Pick<ChangeTaskBody, 'context' | 'onMissed'> & Pick<CreateTaskBody, 'deadline' | 'retry'> {
    return {
      ...(this.#chance.is(0.5) ? { deadline: this.#chance.pick(['5s', '20s', '90s', '75s']) } : {}),
      ...(this.#chance.is(0.5)
        ? { retry: { maxAttempts: this.#chance.between(1, 3), baseDelay: this.#chance.pick(['500ms', '3s']) } }
        : {}),
      ...(this.#chance.is(0.2) ? { onMissed: 'skip' as const } : {}),
      ...(this.#chance.is(0.2) ? { context: { n: this.#chance.between(1, 9) } } : {}),
    };
  }

  #schedule(others: string[]): Schedule {
    const { now } = this.#sight;
    switch (this.#chance.weighted({ immediate: 3, delayed: 4, at: 2, cron: 2, backoff: 2, conditional: others.length > 0 ? 10 : 0 })) {
      case 'immediate':
        return { strategy: 'immediate' };
      case 'delayed':
        return { strategy: 'delayed', delay: `${this.#chance.pick([0, 200, 1_500, 8_000, 30_000, 70_000])}ms` };
      case 'at':
        return { strategy: 'at', at: formatInstant(now() + this.#chance.between(0, 30_000)) };
      case 'cron':
        return { strategy: 'cron', cron: this.#chance.pick(['*/10 * * * * *', '*/25 * * * * *', '* * * * *']) };
      case 'backoff':
        return { strategy: 'exponential_backoff', baseDelay: '2s', maxDelay: '20s', jitter: this.#chance.pick(['none', 'full', 'equal']) };
      case 'conditional':
        return { strategy: 'conditional', conditions: this.#conditions(others) };
    }
  }

  #conditions(others: string[]): Conditions {
    if (others.length === 0) return { dependenciesComplete: true };
    switch (this.#chance.weighted({ all: 3, list: 3, min: 2, outcome: 6 })) {
      case 'all':
        return { dependenciesComplete: true };
      case 'list':
        return this.#chance.is(0.5) ? { dependenciesComplete: this.#some(others) } : { dependenciesCompleted: this.#some(others) };
      case 'min':
        return { dependenciesCompleted: { min: this.#chance.between(1, 2) } };
      case 'outcome': {
        const status = this.#chance.pick(['Completed', 'Completed', 'Failed'] as const);
        const result = status === 'Completed' && this.#chance.is(0.3) ? { result: { path: '/ok', equals: this.#chance.is(0.5) } } : {};
        return { outcome: { taskId: this.#chance.pick(others), status, ...result } };
      }
    }
  }

  #some(from: string[]): string[] {
    return from.filter(() => this.#chance.is(0.4)).slice(0, 3);
  }
}

/** Whether a request was taken. */
export const isAccepted = (outcome: Outcome): boolean => outcome.kind === 'accepted';
