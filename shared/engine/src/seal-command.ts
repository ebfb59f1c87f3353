import type { BulkBody, BulkItem } from '@retrigger/domain/bulk/commands.ts';
import type { Command, CommandHeader } from '@retrigger/domain/command.ts';
import { keyedFingerprint } from '@retrigger/domain/idempotency.ts';
import { taskKey } from '@retrigger/domain/identifiers.ts';
import type { Json } from '@retrigger/domain/json.ts';
import { valueAt, withValueAt } from '@retrigger/domain/json-pointer.ts';
import { isPermitted } from '@retrigger/domain/permissions.ts';
import { COMMAND_FIELDS } from '@retrigger/domain/privacy/personal-fields.ts';
import { type DataKey, fingerprintKey, openValue, sealValue } from '@retrigger/domain/privacy/sealed-value.ts';
import type { SnapshotStore } from '@retrigger/ports/snapshot-store.ts';
import type { KeyRing } from './key-ring.ts';

type Snapshots = Pick<SnapshotStore, 'load'>;

/** Whether a task is sensitive is fixed when it is created, so what was found is remembered: this many tasks that are not. */
const REMEMBERED_TASKS = 20_000;

/**
 * Seals what a command says about a sensitive task, before it is appended anywhere.
 * P1: whatever door a command comes through, its personal fields are sealed, or taken out when its sender may not send it at all: the worker refuses it and
 * needs none of them.
 * P2: a task that no snapshot knows yet is sensitive when it has a key: whoever creates a sensitive task makes its key first. (What still gets by, because both
 * happen at once, the task itself refuses: see `decide`.)
 * P3: digests by which a repeat is recognised are keyed by the task's key, so that nobody can guess what they are of once it is gone.
 * P5: of a task whose creation this door had accepted nobody asks whether it is sensitive: the creation said so, and that never changes.
 */
export class CommandSealing {
  readonly #ring: KeyRing;
  readonly #snapshots: Snapshots;
  readonly #plain = new Set<string>();

  constructor(ring: KeyRing, snapshots: Snapshots) {
    this.#ring = ring;
    this.#snapshots = snapshots;
  }

  async seal<C extends Command>(command: C): Promise<C> {
    if (isBulk(command)) return isPermitted(command) ? command : withBody(command, { tasks: [] }); // its items are sealed one by one, when they are known
    const fields = personalFields(command);
    if (fields.length === 0) return command;
    if (!isPermitted(command))
      return fields.reduce<C>((sent, [pointer]) => withBody(sent, withoutValueAt(sent.body as Json, pointer)), command);
    const key = await this.#keyFor(command);
    if (key === undefined) return command;
    const { tenantId, taskId, commandId } = command;
    let body = command.body as Json;
    for (const [pointer, value] of fields) {
      const place = { tenantId, taskId, kind: COMMAND_FIELDS[pointer] ?? 'context' };
      if (openValue(key, place, value) === undefined) body = withValueAt(body, pointer, sealValue(key, place, commandId, value));
    }
    const { fingerprint } = command;
    return {
      ...withBody(command, body),
      ...(fingerprint === undefined ? {} : { fingerprint: keyedFingerprint(fingerprint, fingerprintKey(key)) }),
    }; // P3
  }

  /** P5. To be told of what was accepted, as it was sent. */
  accepted({ type, tenantId, taskId, body }: Command): void {
    if (type === 'CreateTask' && !body.sensitive) this.#remember(taskKey(tenantId, taskId));
  }

  /**
   * P4: what a bulk says about a sensitive task is sealed for that task, also what it says for all; what it says for all stays open only for those that are not
   * sensitive. `bulk` is its name, `body` names all tasks.
   */
  async sealItems(tenantId: string, bulk: string, body: BulkBody): Promise<BulkBody> {
    const { tasks, context, triggerReason, ...rest } = body;
    if (context === undefined && triggerReason === undefined && tasks.every((item) => item.context === undefined)) return body;
    await this.#learn(tasks.map(({ taskId }) => taskKey(tenantId, taskId)));
    const sealed: BulkItem[] = [];
    let isShared = false;
    for (const item of tasks) {
      const own = await this.#sealItem({ tenantId, commandId: bulk, correlationId: bulk, actor: DOOR, roles: [] }, item, body);
      isShared ||= own === item;
      sealed.push(own);
    }
    const common = { ...(context === undefined ? {} : { context }), ...(triggerReason === undefined ? {} : { triggerReason }) };
    return { ...rest, ...(isShared ? common : {}), tasks: sealed };
  }

  /** The very same item when its task is not sensitive. */
  async #sealItem(header: Omit<CommandHeader, 'taskId'>, item: BulkItem, { context, triggerReason }: BulkBody): Promise<BulkItem> {
    const said = { ...(context === undefined ? {} : { context }), ...(triggerReason === undefined ? {} : { triggerReason }) };
    const body = { ...said, ...(item.context === undefined ? {} : { context: item.context }) };
    const single = await this.seal({ ...header, taskId: item.taskId, type: 'TriggerTask' as const, body });
    return single.body === body ? item : { ...item, ...single.body };
  }

  /** Finds which of these are not sensitive in one go, so that they need not be looked at one by one. */
  async #learn(keys: string[]): Promise<void> {
    const unknown = keys.filter((key) => !this.#plain.has(key));
    const found = unknown.length === 0 ? undefined : await this.#snapshots.load(unknown);
    for (const [key, { state }] of found ?? []) if (!(state as { sensitive?: boolean }).sensitive) this.#remember(key);
  }

  async #keyFor(command: Command): Promise<DataKey | undefined> {
    const { tenantId, taskId } = command;
    if (command.type === 'CreateTask') return command.body.sensitive ? this.#ring.keyOf(tenantId, taskId) : undefined;
    const key = taskKey(tenantId, taskId);
    if (this.#plain.has(key)) return undefined;
    const snapshot = (await this.#snapshots.load([key])).get(key);
    if (snapshot === undefined) return this.#ring.findKey(tenantId, taskId); // P2
    if ((snapshot.state as { sensitive?: boolean }).sensitive) return this.#ring.keyOf(tenantId, taskId);
    this.#remember(key);
    return undefined;
  }

  #remember(key: string): void {
    const [oldest] = this.#plain;
    if (this.#plain.size >= REMEMBERED_TASKS && oldest !== undefined) this.#plain.delete(oldest);
    this.#plain.add(key);
  }
}

/** Who sealed; it goes nowhere. */
const DOOR = { id: 'door', type: 'system' } as const;

const isBulk = ({ type }: Command): boolean => type === 'BulkTrigger' || type === 'BulkReschedule';

const personalFields = ({ body }: Command): [string, Json][] =>
  Object.keys(COMMAND_FIELDS).flatMap((pointer) => {
    const value = valueAt(body as Json, pointer);
    return value === undefined ? [] : [[pointer, value]];
  });

const withBody = <C extends Command>(command: C, body: Json): C => ({ ...command, body }) as C;

/** A text that the command can't do without becomes an empty one. */
function withoutValueAt(body: Json, pointer: string): Json {
  if (pointer === '/error/message') return withValueAt(body, pointer, '');
  const { [pointer.slice(1)]: _, ...rest } = body as { [name: string]: Json };
  return rest;
}
