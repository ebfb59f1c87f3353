import type { Command } from '@retrigger/domain/command.ts';
import { differingFields, type Fingerprint } from '@retrigger/domain/idempotency.ts';
import { derive, taskKey } from '@retrigger/domain/identifiers.ts';
import type { JsonObject } from '@retrigger/domain/json.ts';
import { refused } from '@retrigger/domain/refusal.ts';
import type { Admission, CommandAdmission } from '@retrigger/engine/admit-command.ts';
import { within } from '@retrigger/engine/within.ts';
import { TOPICS } from '@retrigger/ports/log.ts';
import { RECEIPT_LIFE_MS } from '@retrigger/ports/receipt-store.ts';
import { ClaimDesk } from './claim-desk.ts';
import { leaseOf } from './claim-lease.ts';
import type { Candidate } from './claim-lines.ts';
import { claimedUnder, slotIds } from './claimed-under.ts';
import type { Caller } from './credentials.ts';
import type { GatewayDeps } from './deps.ts';
import { admissionProblem, type Problem, refusalProblem } from './problem.ts';

/** A claim whose parts are valid. `waitMs`: for something to claim; `patienceMs`: for a worker to decide a try. */
export type AskedClaim = {
  commandId: string;
  caller: Caller;
  types: readonly string[];
  most: number;
  waitMs: number;
  patienceMs: number;
  fingerprint: Fingerprint;
  isRepeatable: boolean;
  correlationId: string;
  traceparent: string;
  /** Nobody is there any more to be given anything. */
  gone: AbortSignal;
  /** What is wrong with the caller's credentials now. */
  refusal(): Promise<Problem | undefined>;
};

/** `slots`: the ids of its executions, as many as it asks for at most. */
type Asking = AskedClaim & { slots: readonly string[] };

/** What came of a claim; `claimed` has at least one. */
export type ClaimOutcome =
  | { kind: 'claimed'; executions: JsonObject[]; replayed: boolean }
  | { kind: 'nothing' }
  | { kind: 'pending'; acceptedAt: number }
  | { kind: 'problem'; problem: Problem };

type Tried = Admission<Problem>;

/** With one execution in hand a claim waits so long for what it was promised besides. */
const OTHERS_MS = 30_000;
/** What the log has not taken for so long it may never take. It says so within some seconds. */
const STUCK_MS = 1_000;
const LOG_SAYS_MS = 6_000;
/** So long the caller's credentials count as good. */
const GOOD_FOR_MS = 1_000;
/** How often it is looked for what another door is claiming under the same key. */
const LOOK_AGAIN_MS = 250;

/**
 * Claims of executions. The log decides who has one: a claim tries candidates, each try a command to its task, until one is accepted or none is left.
 * M1: a claim asks for its first execution under its own command id, and for the others under ids derived from that, each of which ever gets one execution (B8);
 * so a repeat finds what was claimed, whoever heard of it. M2: all are asked for at once; who has one in hand waits for the others, and where something is kept
 * nothing more is tried. M3: repeats that meet in this process are one claim. M4: for a caller who has gone nothing is tried.
 * M5: who may ask again is given what is kept under those ids, whatever the tries were answered; while nothing is kept the claim is pending. So nobody is ever
 * handed out a second execution for the same one, also where two of its tries each started one.
 * M6: of repeats at several doors, or while the first is pending, one at a time tries; the others wait for what is kept.
 * M8: a claim is not pending while the log has not taken its tries: what the log says is waited for first.
 * M7: whoever has waited is asked for good credentials again before anything is tried: a key that was revoked meanwhile is given nothing.
 */
export class Claims {
  readonly #deps: GatewayDeps;
  readonly #admission: CommandAdmission<Problem>;
  readonly #desk: ClaimDesk;
  readonly #open = new Map<string, { fingerprint: Fingerprint; outcome: Promise<ClaimOutcome> }>();

  constructor(deps: GatewayDeps, admission: CommandAdmission<Problem>) {
    this.#deps = deps;
    this.#admission = admission;
    this.#desk = new ClaimDesk(deps);
  }

  /** A command of this tenant was accepted. */
  hint(tenantId: string): void {
    this.#desk.hint(tenantId);
  }

  async claim(asked: AskedClaim): Promise<ClaimOutcome> {
    const { commandId, fingerprint } = asked;
    const twin = this.#open.get(commandId); // M3
    if (twin !== undefined) {
      if (differingFields(twin.fingerprint, fingerprint).length > 0) return reused(twin.fingerprint, fingerprint);
      const outcome = await twin.outcome;
      return outcome.kind === 'claimed' ? { ...outcome, replayed: true } : outcome;
    }
    if (this.#open.size >= this.#deps.config.maxInFlight) return { kind: 'problem', problem: admissionProblem({ kind: 'overloaded' }) };
    const outcome = this.#claim({ ...asked, slots: slotIds(commandId, asked.most) });
    this.#open.set(commandId, { fingerprint, outcome });
    return outcome.finally(() => this.#open.delete(commandId));
  }

  async #claim(asked: Asking): Promise<ClaimOutcome> {
    if (!asked.isRepeatable) return this.#seekAndTry(asked);
    const { clock } = this.#deps;
    const until = clock.now() + asked.waitMs + asked.patienceMs;
    for (;;) {
      const lease = await leaseOf(asked.commandId, this.#deps); // M6
      let mayStart = false; // a try may still start an execution
      try {
        const known = await this.#known(asked);
        mayStart = known === undefined;
        const outcome = known ?? (lease && (await this.#seekAndTry(asked)));
        mayStart = outcome?.kind === 'pending';
        if (outcome !== undefined) return outcome;
      } finally {
        if (mayStart) lease?.leave();
        else await lease?.release();
      }
      if (asked.gone.aborted) return { kind: 'nothing' };
      if (clock.now() >= until) return { kind: 'pending', acceptedAt: clock.now() };
      await new Promise<void>((resolve) => void clock.timer(clock.now() + LOOK_AGAIN_MS, resolve));
    }
  }

  async #seekAndTry(asked: Asking): Promise<ClaimOutcome> {
    const { caller, types, most, gone, commandId: name } = asked;
    const { clock } = this.#deps;
    const begunAt = clock.now();
    const until = begunAt + asked.waitMs;
    for (;;) {
      const found = await this.#desk.seek({ tenantId: caller.tenantId, types, name, most, until, signal: gone });
      if (found.length === 0) return { kind: 'nothing' };
      const refusal = clock.now() - begunAt < GOOD_FOR_MS ? undefined : asked.refusal(); // M7
      const outcome = await this.#tryAll(asked, found, refusal).finally(() => {
        for (const candidate of found) this.#desk.settled(caller.tenantId, candidate);
      });
      if (outcome !== undefined) return outcome;
    }
  }

  /** Undefined: others were faster everywhere. */
  async #tryAll(asked: Asking, found: Candidate[], refusal?: Promise<Problem | undefined>): Promise<ClaimOutcome | undefined> {
    const problem = await refusal;
    if (problem !== undefined) return { kind: 'problem', problem };
    if (asked.gone.aborted) return { kind: 'nothing' }; // M4
    const { clock } = this.#deps;
    const acceptedAt = clock.now();
    let hasSome = false;
    const tries = found.map((candidate, i) =>
      this.#try(asked, candidate, asked.slots[i] as string, OTHERS_MS).then((tried) => {
        hasSome ||= executionOf(tried).length > 0;
        return tried;
      }),
    );
    const all = Promise.all(tries); // M1
    let soon = await within(all, asked.patienceMs, clock, undefined);
    if (soon === undefined && !hasSome && this.#isStuck(asked, found)) soon = await within(all, LOG_SAYS_MS, clock, undefined); // M8
    if (soon === undefined && !hasSome) return { kind: 'pending', acceptedAt };
    const tried = soon ?? (await all); // M2
    const executions = tried.flatMap(executionOf);
    if (executions.length === 0) return withoutAny(tried, acceptedAt);
    if (!asked.isRepeatable) return { kind: 'claimed', executions, replayed: false };
    const known = await this.#known(asked); // M5
    if (known?.kind !== 'claimed') return known ?? { kind: 'pending', acceptedAt };
    return { ...known, replayed: known.executions[0]?.executionId !== executions[0]?.executionId };
  }

  #isStuck({ caller }: AskedClaim, found: Candidate[]): boolean {
    const { log } = this.#deps;
    const stuckMs = (taskId: string) => log.stuckMs?.(TOPICS.work, log.partitionOf(TOPICS.work, taskKey(caller.tenantId, taskId))) ?? 0;
    return found.some(({ taskId }) => stuckMs(taskId) > STUCK_MS);
  }

  #try(asked: AskedClaim, { taskId, since }: Candidate, claim: string, waitMs: number): Promise<Tried> {
    const { caller, correlationId, traceparent, fingerprint } = asked;
    const command: Command & { fingerprint: Fingerprint } = {
      commandId: derive('try', claim, taskId, since),
      ...{ tenantId: caller.tenantId, taskId, roles: caller.roles, correlationId, fingerprint },
      actor: { id: caller.userId, type: 'executor' },
      ...(traceparent === '' ? {} : { traceparent }),
      ...{ type: 'ClaimExecution', body: { claim } },
    };
    return this.#admission.admit({ command, isRepeatable: false, cost: 0, waitMs });
  }

  /** What was claimed under this id before, or by whoever came at the same time. */
  async #known({ slots, caller, fingerprint }: Asking): Promise<ClaimOutcome | undefined> {
    const found = await claimedUnder(slots, this.#deps);
    if (found === undefined || found.first.tenantId !== caller.tenantId) return undefined;
    if (this.#deps.clock.now() - found.first.position.at >= RECEIPT_LIFE_MS) return undefined;
    if (differingFields(found.first.fingerprint, fingerprint).length > 0) return reused(found.first.fingerprint, fingerprint);
    return { kind: 'claimed', executions: found.executions, replayed: true };
  }
}

const executionOf = (tried: Tried): JsonObject[] =>
  tried.kind === 'decided' && tried.outcome.kind === 'accepted' ? [tried.outcome.answer] : [];

/** What comes of a claim all of whose tries gave nothing; undefined when others were faster everywhere. */
function withoutAny(tried: Tried[], acceptedAt: number): ClaimOutcome | undefined {
  for (const one of tried) {
    if (one.kind === 'pending') return { kind: 'pending', acceptedAt };
    if (one.kind !== 'decided') return { kind: 'problem', problem: admissionProblem(one) };
    const { outcome } = one;
    if (outcome.kind === 'refused' && outcome.refusal.code !== 'stale_execution')
      return { kind: 'problem', problem: refusalProblem(outcome.refusal) };
  }
  return undefined;
}

function reused(first: Fingerprint, second: Fingerprint): ClaimOutcome {
  const fields = differingFields(first, second);
  const detail = `This idempotency key was used for another request; these fields differ: ${fields.join(', ')}`;
  return { kind: 'problem', problem: refusalProblem(refused('idempotency_key_reused', detail, { fields }).refusal) };
}
