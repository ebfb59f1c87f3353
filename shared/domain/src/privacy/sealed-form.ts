import type { Event } from '../event.ts';
import type { Json, JsonObject } from '../json.ts';
import { valueAt, withValueAt } from '../json-pointer.ts';
import { NAME_TOKEN, nameToken } from './name-token.ts';
import { EVENT_FIELDS } from './personal-fields.ts';
import { isWhatWasSealed } from './sealed-value.ts';

/** What stands in the stored event where an open one shows something else, by JSON Pointer, with what proves that the two belong together. */
export type Sealed = { [pointer: string]: { value: Json; salt: string } };

/** An event as it is shown to whoever may read it: opened, where it can be. */
export type OpenEvent = Event & { sealed?: Sealed };

/**
 * The event as it was stored and hashed; one that is that already comes back as it is. Undefined when something that is shown is not what was sealed, so that
 * an open form can't be changed without notice. Needs no key.
 */
export function sealedForm(shown: OpenEvent): Event | undefined {
  const { sealed, ...open } = shown;
  if (sealed === undefined) return shown;
  try {
    let event = open as unknown as Json;
    for (const [pointer, { value, salt }] of Object.entries(sealed)) {
      const shownValue = valueAt(event, pointer);
      if (shownValue === undefined || !isProven(shown.tenantId, pointer, value, shownValue, salt)) return undefined;
      event = withValueAt(event, pointer, value);
    }
    return event as unknown as Event;
  } catch {
    return undefined; // a file that somebody has changed may hold anything here
  }
}

/** Only fields that may be sealed: nothing else can be passed off as sealed. */
function isProven(tenantId: string, pointer: string, sealed: Json, shown: Json, salt: string): boolean {
  const kind = Object.hasOwn(EVENT_FIELDS, pointer) ? EVENT_FIELDS[pointer] : undefined;
  if (kind === undefined || typeof salt !== 'string') return false;
  if (kind !== 'name') return isWhatWasSealed(sealed, kind, shown, salt);
  if (typeof sealed !== 'string' || typeof shown !== 'string' || !NAME_TOKEN.test(sealed)) return false;
  return nameToken(Buffer.from(salt, 'base64url'), tenantId, shown) === sealed;
}

/** An event with values opened; `sealed` keeps what they were. */
export function openForm(event: Event, opened: ReadonlyMap<string, { value: Json; salt: string }>): OpenEvent {
  if (opened.size === 0) return event;
  const sealed: Sealed = {};
  let open = event as unknown as Json;
  for (const [pointer, { value, salt }] of opened) {
    const was = valueAt(open, pointer);
    if (was === undefined) throw new Error(`the event has nothing at ${pointer}`);
    sealed[pointer] = { value: was, salt };
    open = withValueAt(open, pointer, value);
  }
  return { ...(open as JsonObject), sealed } as unknown as OpenEvent;
}
