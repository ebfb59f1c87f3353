import { EMPTY_HEAD, type Event, NO_HASH, type StoredEvent } from '@retrigger/domain/event.ts';
import { expectedHash, firstBreak } from '@retrigger/domain/event-hash.ts';
import type { Json, JsonObject } from '@retrigger/domain/json.ts';
import { headAfter, nextEvent } from '@retrigger/domain/next-event.ts';
import { nameToken } from '@retrigger/domain/privacy/name-token.ts';
import { type OpenEvent, openForm, sealedForm } from '@retrigger/domain/privacy/sealed-form.ts';
import { openValue, sealValue } from '@retrigger/domain/privacy/sealed-value.ts';
import { describe, expect, test } from 'vitest';

const key = { token: `k_${'a'.repeat(22)}`, key: Buffer.alloc(32, 1) };
const salt = Buffer.alloc(16, 3);
const token = nameToken(salt, 'acme', 'ada');
const place = { tenantId: 'acme', taskId: 'pay', kind: 'context' } as const;
const context = sealValue(key, place, 'c', { iban: 'DE00' });

const stored: StoredEvent = nextEvent(
  EMPTY_HEAD,
  null,
  {
    ...{ commandId: 'c', tenantId: 'acme', taskId: 'pay', actor: { id: token, type: 'user' }, roles: [], correlationId: 'r' },
    ...{ type: 'CreateTask', body: { type: 'job' } },
  },
  { eventType: 'TaskCreated', schemaVersion: 1, newState: 'Draft', metadata: { type: 'job', owner: token, context } },
  { partition: 0, offset: 0, at: 1_772_000_000_000 },
);

const name = { value: 'ada' as Json, salt: salt.toString('base64url') };
const opened = new Map([
  ['/actor/id', name],
  ['/metadata/owner', name],
  ['/metadata/context', openValue(key, place, context) ?? name],
]);
const shown = openForm(stored.event, opened);
const forged = (change: (event: JsonObject) => void): OpenEvent => {
  const copy = structuredClone(shown) as unknown as JsonObject;
  change(copy);
  return copy as unknown as OpenEvent;
};

describe('an event as it is shown', () => {
  test('shows what is open, and leads back to the very event that was stored', () => {
    expect(shown.actor).toEqual({ id: 'ada', type: 'user' });
    expect(shown.metadata).toEqual({ type: 'job', owner: 'ada', context: { iban: 'DE00' } });
    expect(sealedForm(shown)).toEqual(stored.event);
    expect(sealedForm(stored.event)).toBe(stored.event);
    expect(openForm(stored.event, new Map())).toBe(stored.event);
  });

  test('has the hash of what was stored, and its chain holds', () => {
    expect(expectedHash(shown)).toBe(stored.event.hash);
    expect(firstBreak([shown], 1, NO_HASH)).toBeUndefined();
  });

  test.each<[string, (event: JsonObject) => void]>([
    ['another name', (event) => Object.assign(event.actor as JsonObject, { id: 'eve' })],
    ['another owner', (event) => Object.assign(event.metadata as JsonObject, { owner: 'eve' })],
    ['another context', (event) => Object.assign((event.metadata as JsonObject).context as JsonObject, { iban: 'DE99' })],
    ['a context taken away', (event) => Object.assign(event.metadata as JsonObject, { context: undefined })],
    ['half a surrogate pair', (event) => Object.assign((event.metadata as JsonObject).context as JsonObject, { iban: '\ud800' })],
    [
      'a state passed off as sealed',
      (event) => Object.assign(event.sealed as JsonObject, { '/newState': { value: 'Draft', salt: name.salt } }),
    ],
    ['a name under another salt', (event) => Object.assign(event.sealed as JsonObject, { '/actor/id': { value: token, salt: 'AAAA' } })],
    ['sealed values that are none', (event) => Object.assign(event, { sealed: { '/actor/id': null } })],
    ['a list of sealed values', (event) => Object.assign(event, { sealed: null })],
    ['a pointer of Object.prototype', (event) => Object.assign(event, { sealed: { constructor: { value: 1, salt: '' } } })],
  ])('%s is found without any key', (_, change) => {
    const event = forged(change);
    expect(sealedForm(event)).toBeUndefined();
    expect(firstBreak([event], 1, NO_HASH)?.reason).toBe('what is shown is not what was sealed');
  });

  test('the sealed form itself can’t be replaced: the chain holds it', () => {
    const eve = nameToken(salt, 'acme', 'eve');
    const event = forged((copy) => {
      Object.assign(copy.actor as JsonObject, { id: 'eve' });
      Object.assign(copy.sealed as JsonObject, { '/actor/id': { value: eve, salt: name.salt } });
    });
    expect(sealedForm(event)?.actor.id).toBe(eve);
    expect(firstBreak([event], 1, NO_HASH)?.reason).toBe('hash does not match the content');
  });

  test('what could not be opened any more is shown as it is stored, and still verifies', () => {
    const erased: Event = openForm(stored.event, new Map([['/metadata/owner', name]]));
    expect(erased.actor.id).toBe(token);
    expect(firstBreak([erased], 1, NO_HASH)).toBeUndefined();
    expect(headAfter({ ...stored, event: erased }).hash).toBe(stored.event.hash);
  });
});
