import type { Command } from '../command.ts';
import type { Decision } from '../decider.ts';
import type { Json } from '../json.ts';
import { valueAt } from '../json-pointer.ts';
import { isPermitted } from '../permissions.ts';
import { COMMAND_FIELDS } from '../privacy/personal-fields.ts';
import { sealedUnder } from '../privacy/sealed-value.ts';
import { refused } from '../refusal.ts';
import { event, refuse } from './decision.ts';
import { SCHEMA_VERSION, type TaskMetadata } from './events.ts';
import type { TaskState } from './state.ts';

type Erase = Command & { type: 'EraseData' };

/**
 * An erasure is an event: of the task that it is about, or of the tenant when it is about a user.
 * W1: what the event says is destroyed before the event is stored (`erase-first.ts`), and the command that asks for it is durable before that: whatever dies in
 * between, it is done and told in the end. W2: a command destroys the key that its door found, and no later one.
 */
export function eraseOfTask(state: TaskState, command: Erase): Decision {
  const { subject, token } = command.body;
  if (!state.sensitive) return refuse(state, command, 'invalid_state', `Task ${state.taskId} is not sensitive: nothing of it is sealed`);
  return token === null ? nothingToErase(subject) : event('DataErased', state.status, { subject, token });
}

export function eraseOfUser(command: Erase): Decision {
  const { subject, token } = command.body;
  if (!isPermitted(command)) return { kind: 'answered', outcome: refused('forbidden', 'The caller’s roles do not permit this') };
  if (token === null) return nothingToErase(subject);
  const metadata: TaskMetadata['DataErased'] = { subject, token };
  return { kind: 'event', event: { eventType: 'DataErased', schemaVersion: SCHEMA_VERSION, newState: null, metadata } };
}

const nothingToErase = (subject: string): Decision => ({
  kind: 'answered',
  outcome: { kind: 'accepted', answer: { subject, erased: false } },
});

export const NOT_SEALED = 'The task is sensitive, which the door did not know yet; send it again';

/** W3: a sensitive task takes nothing that no door has sealed, so that no event of it ever holds anything open, whoever appended the command. */
export const isSealed = ({ body }: Command): boolean =>
  Object.keys(COMMAND_FIELDS).every((pointer) => {
    const value = valueAt(body as Json, pointer);
    return value === undefined || sealedUnder(value) !== undefined;
  });
