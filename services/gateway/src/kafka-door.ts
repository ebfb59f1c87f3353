import type { Command } from '@retrigger/domain/command.ts';
import { type Fingerprint, keyedFingerprint } from '@retrigger/domain/idempotency.ts';
import { taskKey } from '@retrigger/domain/identifiers.ts';
import type { CommandAdmission, Submission } from '@retrigger/engine/admit-command.ts';
import { deadLetter } from '@retrigger/engine/dead-letters.ts';
import { pauseUntil } from '@retrigger/lifecycle/pause.ts';
import { type CommitOffset, type LogRecord, type NewRecord, type RecordHandler, TOPICS } from '@retrigger/ports/log.ts';
import type { Receipt } from '@retrigger/ports/receipt-store.ts';
import { COMMANDS, type CommandCall } from './command-table.ts';
import type { Caller, Credentials } from './credentials.ts';
import type { GatewayDeps } from './deps.ts';
import { isProblem } from './exchange.ts';
import { kafkaCommandId, type ReadAvroCommand, readSentCommand, type SentCommand, sentFingerprint, workOfSent } from './kafka-command.ts';
import { refusalReceipt } from './kafka-outcome.ts';
import { whoSigned } from './kafka-signature.ts';
import { admissionProblem, type Problem } from './problem.ts';
import { traceparentOf } from './request-headers.ts';

export type KafkaDoorDeps = GatewayDeps & {
  readAvro: ReadAvroCommand;
  /** The name under which Kafka knows the topic: what is signed. */
  topic: string;
};

/** So many tasks' commands of one batch are handed in at once. */
const KEYS_AT_ONCE = 32;
/** A batch that gets nothing further waits so long for limits that are about to let go; everything behind it in the partition waits too, whoever's it is. */
const PATIENCE_MS = 5_000;
/** The share of the commands in flight that this door may fill; the rest is left to callers who wait for an answer. */
const MOST_LOAD = 0.5;
const LOOK_AGAIN_MS = 50;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
/** A worker that decides gives a tenant's share of a partition back all the time. */
const SHARE_PAUSE_MS = 200;

type Submitted = Submission<Problem> & { command: Command & { fingerprint: Fingerprint } };

/** Until when (epoch ms) limits are waited for; null while none holds the batch up. */
type Patience = { until: number | null };

/** What becomes of a batch besides what is handed in. */
type Settled = { dead: NewRecord[]; receipts: Receipt[] };

/**
 * The door for commands that other systems publish. The law is that of HTTP: the same table, the same admission. Only the way back is another: nobody waits.
 * K1: the offset passes a record only when it is in the work log, or its outcome is stored, or it is a dead letter. A crash before that brings it again, and
 * its commandId makes that harmless.
 * K2: commands of one record key are handed in one after the other, in the order of the log.
 * K3: what is over a limit that lets go soon is handed in then; what would hold others up for long is refused, and its outcome says so. Overload, also by one
 * tenant, and machines that don't answer refuse nothing: the records wait in Kafka.
 * K4: who signed a record is who speaks. A record whose key names another tenant, or another task than its command, is denied: it is handed in as such, so
 * that the task's history shows it where there is one.
 * K5: another command under an id that is taken has no outcome of its own (the id's is the first one's): it is a dead letter.
 */
export class KafkaDoor implements RecordHandler {
  readonly #deps: KafkaDoorDeps;
  readonly #admission: CommandAdmission<Problem>;
  readonly #closing = new AbortController();

  constructor(deps: KafkaDoorDeps, admission: CommandAdmission<Problem>) {
    this.#deps = deps;
    this.#admission = admission;
  }

  async assigned(): Promise<void> {}
  async revoked(): Promise<void> {}

  /** Ends the waits of the batches that run; they come again to whoever is next. */
  close(): void {
    this.#closing.abort();
  }

  /** @throws when the door closes or a machine does not answer; the log delivers the records again. */
  async batch(_partition: number, records: LogRecord[], commit: CommitOffset): Promise<void> {
    const settled: Settled = { dead: [], receipts: [] };
    const byKey = Map.groupBy(records, ({ key }) => key);
    const signer = rememberedIn(this.#deps.credentials);
    const patience: Patience = { until: null };
    const waiting = byKey.values();
    const one = async () => {
      for (const ofOneKey of waiting) for (const record of ofOneKey) await this.#take(record, signer, patience, settled); // K2
    };
    const ends = await Promise.allSettled(Array.from({ length: Math.min(KEYS_AT_ONCE, byKey.size) }, one));
    const failed = ends.find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
    if (settled.receipts.length > 0) await this.#deps.receipts.put(settled.receipts);
    if (settled.dead.length > 0) await this.#deps.log.append(TOPICS.deadLetters, settled.dead);
    const last = records.at(-1);
    if (last !== undefined) void commit(last.offset + 1); // K1; the next records do not wait for it
  }

  async #take(record: LogRecord, signer: Credentials['signer'], patience: Patience, settled: Settled): Promise<void> {
    const sent = await readSentCommand(record, this.#deps.readAvro);
    if (sent.kind === 'unreadable') return this.#bury(record, sent.reason, settled);
    const signed = await whoSigned(record, this.#deps.topic, signer);
    if (signed.kind === 'unproven') return this.#bury(record, signed.reason, settled);
    const { command } = sent;
    const incoming = traceparentOf(record.headers.traceparent);
    await this.#deps.observer.span(`kafka ${command.type}`, incoming, {}, (traceparent) =>
      this.#admit(record, command, signed.caller, { traceparent, patience }, settled),
    );
  }

  async #admit(
    record: LogRecord,
    sent: SentCommand,
    caller: Caller,
    { traceparent, patience }: { traceparent: string; patience: Patience },
    settled: Settled,
  ): Promise<void> {
    const { clock } = this.#deps;
    const commandId = kafkaCommandId(caller, sent.commandId);
    const asked = await workOfSent(sent, { commandId, caller, now: clock.now() });
    if (isProblem(asked)) return this.#refuse(sent, caller, asked, settled);
    const call: CommandCall<unknown> = COMMANDS[sent.type];
    const { work, cost } = asked;
    const rightKey = isUnnamed(sent) ? caller.tenantId : taskKey(caller.tenantId, work.taskId);
    const command: Submitted['command'] = {
      commandId,
      tenantId: caller.tenantId,
      actor: { id: caller.userId, type: call.actor },
      roles: caller.roles,
      ...(record.key === rightKey ? {} : { denied: `The record’s key must be ${rightKey}` }), // K4
      correlationId: sent.commandId,
      ...(traceparent === '' ? {} : { traceparent }),
      fingerprint: this.#fingerprintOf(sent, caller),
      ...work,
    };
    const check = async () => call.check?.(caller, work, this.#deps);
    const refusal = await this.#handIn({ command, isRepeatable: true, cost, waitMs: 0, check }, patience);
    if (refusal === 'id_taken')
      this.#bury(record, 'the commandId was used for another command before', settled); // K5
    else if (refusal !== undefined) this.#refuse(sent, caller, refusal, settled);
  }

  /** Resolves when the command is in the work log or known from before; else with why it is not. Waits out what passes (K3). */
  async #handIn(submission: Submitted, patience: Patience): Promise<Problem | 'id_taken' | undefined> {
    const { clock } = this.#deps;
    for (let failures = 0; ; failures++) {
      while (this.#admission.load > MOST_LOAD) await this.#pause(LOOK_AGAIN_MS);
      const admitted = await this.#admission.admit(submission);
      if (admitted.kind === 'pending') {
        patience.until = null;
        return undefined;
      }
      if (admitted.kind === 'decided') return isIdTaken(admitted.outcome) ? 'id_taken' : undefined;
      if (admitted.kind === 'invalid') return admitted.problem;
      if (admitted.kind === 'limited' && !isShare(admitted.limit)) {
        patience.until ??= clock.now() + PATIENCE_MS;
        if (clock.now() + admitted.retryAfterMs > patience.until) return admissionProblem(admitted);
        await this.#pause(Math.max(LOOK_AGAIN_MS, admitted.retryAfterMs));
      } else await this.#pause(Math.min(admitted.kind === 'limited' ? SHARE_PAUSE_MS : LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures));
    }
  }

  /** @throws when the door closes. */
  async #pause(ms: number): Promise<void> {
    const { clock } = this.#deps;
    await pauseUntil(clock.now() + ms, clock, this.#closing.signal);
    if (this.#closing.signal.aborted) throw new Error('the door closes; the batch is taken up again from its beginning');
  }

  #refuse(sent: SentCommand, caller: Caller, problem: Problem, { receipts }: Settled): void {
    const { clock, log, observer } = this.#deps;
    const { tenantId, userId } = caller;
    const { type } = sent;
    const taskId = sent.taskId ?? '-';
    const commandId = kafkaCommandId(caller, sent.commandId);
    const partition = log.partitionOf(TOPICS.work, taskKey(tenantId, taskId));
    const refused = { commandId, tenantId, userId, taskId, type, fingerprint: this.#fingerprintOf(sent, caller) };
    receipts.push(refusalReceipt(refused, problem, { partition, at: clock.now() }));
    observer.count('requests_refused_total', { code: problem.code });
    observer.log('info', 'published command refused', { type, commandId, code: problem.code });
  }

  #fingerprintOf(sent: SentCommand, { tenantId }: Caller): Fingerprint {
    const plain = sentFingerprint(sent);
    const { namesPeople }: CommandCall<unknown> = COMMANDS[sent.type];
    return namesPeople ? keyedFingerprint(plain, this.#deps.secrets.derive('fingerprint', tenantId, 'people', 1)) : plain;
  }

  #bury(record: LogRecord, reason: string, { dead }: Settled): void {
    const { partition, offset, topic } = record;
    dead.push(deadLetter(record, reason));
    this.#deps.observer.count('dead_letters_total', { source: topic });
    this.#deps.observer.log('warn', 'published record can not be taken; it goes to the dead letters', { reason, partition, offset });
  }
}

/** The bound of what a tenant may have undecided on a partition: it counts what is there at once, and has no window. */
const isShare = ({ windowMs }: { windowMs: number }): boolean => windowMs === 0;

const isIdTaken = (outcome: { kind: 'accepted' } | { kind: 'refused'; refusal: { code: string } }): boolean =>
  outcome.kind === 'refused' && outcome.refusal.code === 'idempotency_key_reused';

/** A bulk, and a creation that leaves the name to us: their records are keyed by the tenant alone. */
const isUnnamed = ({ type, taskId, body }: SentCommand): boolean =>
  COMMANDS[type].about === 'bulk' || (COMMANDS[type].about === 'newTask' && taskId === null && body.taskId === undefined);

/** Asks for each key once in a batch. */
function rememberedIn({ signer }: Credentials): Credentials['signer'] {
  const asked = new Map<string, ReturnType<Credentials['signer']>>();
  return (keyId) => {
    const found = asked.get(keyId) ?? signer(keyId);
    asked.set(keyId, found);
    return found;
  };
}
