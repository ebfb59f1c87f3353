import type { Command } from '@retrigger/domain/command.ts';
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
