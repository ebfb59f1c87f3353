import { isDeepStrictEqual } from 'node:util';
import type { BulkCommandBody } from '@retrigger/domain/bulk/commands.ts';
import type { Command, CommandHeader } from '@retrigger/domain/command.ts';
import { differingFields, type Fingerprint, fingerprint } from '@retrigger/domain/idempotency.ts';
import { bulkName, derive, deriveBulkId, taskKey } from '@retrigger/domain/identifiers.ts';
import type { JsonObject } from '@retrigger/domain/json.ts';
import type { Role } from '@retrigger/domain/permissions.ts';
import { type Outcome, refused } from '@retrigger/domain/refusal.ts';
import type { TaskCommandBody } from '@retrigger/domain/task/commands.ts';
import type { Answer } from '@retrigger/ports/answers.ts';
import { type Log, TOPICS } from '@retrigger/ports/log.ts';
import type { ReceiptStore } from '@retrigger/ports/receipt-store.ts';
import type { Acknowledged } from '@retrigger/test-history/recorded.ts';
import type { Chance } from './chance.ts';
import { encode } from './ports.ts';
import type { Scheduler } from './scheduler.ts';

export type Caller = { id: string; type: 'user' | 'executor'; roles: Role[] };
/** What somebody asks for; of a bulk the taskId is not looked at. The same key of the same caller is the same command. */
export type Request = { tenantId: string; taskId: string; caller: Caller; key: string } & (TaskCommandBody | BulkCommandBody);

/** A caller that is told something more than once must be told the same. */
type Waiting = { command: Command & { fingerprint: Fingerprint }; outcome?: Outcome; tell?: () => void };

/**
 * The way in: hands commands to the log, waits for their answers, looks for the receipt when none comes, and tries again under the same id until there is
 * an outcome. Every try awaits its answer at an address of its own, so that each can be judged.
 */
export class Door {
  readonly acknowledged: (Acknowledged & { fingerprint: Fingerprint; step: number })[] = [];
  /** Requests that have no outcome yet. */
  open = 0;
  readonly #waiting = new Map<string, Waiting>();
  readonly #scheduler: Scheduler;
  readonly #chance: Chance;
  readonly #ports: { log: Log; receipts: ReceiptStore };
  readonly #report: (finding: string) => void;
  #tries = 0;

  constructor(scheduler: Scheduler, chance: Chance, ports: { log: Log; receipts: ReceiptStore }, report: (finding: string) => void) {
    this.#scheduler = scheduler;
    this.#chance = chance;
    this.#ports = ports;
    this.#report = report;
  }

  /** Resolves with the outcome, however long that takes. */
  async ask(request: Request): Promise<Outcome> {
    const command = commandOf(request);
    this.open++;
    for (;;) {
      const outcome = await this.#try(command);
      if (outcome === undefined) continue;
      this.open--;
      return outcome;
    }
  }

  answered(replyTo: string, { commandId, outcome }: Answer): void {
    const waiting = this.#waiting.get(replyTo);
    if (commandId === waiting?.command.commandId) void this.#hear(replyTo, waiting, outcome);
    else this.#report(`${replyTo} awaits ${waiting?.command.commandId} and was told of ${commandId}`);
  }

  async #try(command: Waiting['command']): Promise<Outcome | undefined> {
    const replyTo = `door-${++this.#tries}`;
    const waiting: Waiting = { command };
    this.#waiting.set(replyTo, waiting);
    const told = new Promise<void>((resolve) => {
      waiting.tell = resolve;
    });
    await this.#ports.log.append(TOPICS.work, [encode({ ...command, replyTo })]).catch(() => {});
    await Promise.race([told, this.#scheduler.sleep(this.#chance.between(1_000, 8_000))]);
    if (waiting.outcome !== undefined) return waiting.outcome;
    const receipts = await this.#ports.receipts.load([command.commandId]).catch(() => undefined);
    const receipt = receipts?.get(command.commandId);
    if (receipt === undefined) return undefined;
    const fields = differingFields(receipt.fingerprint, command.fingerprint);
    const outcome = fields.length === 0 ? receipt.outcome : refused('idempotency_key_reused', 'as the receipt shows', { fields });
    await this.#hear(`${replyTo}, by receipt`, waiting, outcome);
    return waiting.outcome;
  }

  /** M5: what was claimed is what is kept under the wish, whatever the try was answered. An answer that this can't be found for is as good as lost. */
  async #hear(where: string, waiting: Waiting, outcome: Outcome): Promise<void> {
    const { command } = waiting;
    if (command.type !== 'ClaimExecution' || outcome.kind === 'refused') return this.#acknowledge(where, waiting, outcome);
    const { claim } = command.body;
    const kept = (await this.#ports.receipts.load([claim]).catch(() => undefined))?.get(claim);
    if (kept !== undefined) this.#acknowledge(where, waiting, kept.outcome);
  }

  #acknowledge(where: string, waiting: Waiting, outcome: Outcome): void {
    const { commandId, tenantId, taskId, type, fingerprint } = waiting.command;
    if (waiting.outcome !== undefined && !isSame(waiting.outcome, outcome))
      this.#report(`${where} was told two things of ${commandId}: ${JSON.stringify(waiting.outcome)} and ${JSON.stringify(outcome)}`);
    waiting.outcome ??= outcome;
    waiting.tell?.();
    this.#scheduler.note(where, `${commandId} ${type} ${taskId}: ${outcome.kind === 'accepted' ? 'accepted' : outcome.refusal.code}`);
    const answer = outcome.kind === 'accepted' ? outcome.answer : outcome.refusal;
    this.acknowledged.push({
      key: taskKey(tenantId, taskId),
      commandId,
      kind: outcome.kind,
      answer,
      fingerprint,
      step: this.#scheduler.steps,
    });
  }
}

const isBulk = (type: Command['type']): boolean => type === 'BulkTrigger' || type === 'BulkReschedule';

const isReuse = (outcome: Outcome) => outcome.kind === 'refused' && outcome.refusal.code === 'idempotency_key_reused';

/** The receipt tells of reuse in words of its own. */
const isSame = (one: Outcome, other: Outcome) => isDeepStrictEqual(one, other) || (isReuse(one) && isReuse(other));

function commandOf({ tenantId, taskId, caller, key, ...body }: Request): Waiting['command'] {
  const commandId = derive('simulation', tenantId, caller.id, key);
  const header: CommandHeader & { fingerprint: Fingerprint } = {
    ...{ commandId, tenantId, taskId: isBulk(body.type) ? bulkName(deriveBulkId(commandId)) : taskId },
    actor: { id: caller.id, type: caller.type },
    roles: caller.roles,
    correlationId: commandId,
    fingerprint: fingerprint({ ...(body.body as JsonObject), type: body.type }),
  };
  return { ...header, ...body };
}
