import type { Event } from '@retrigger/domain/event.ts';
import { NO_HASH } from '@retrigger/domain/event.ts';
import { canonicalJson, expectedHash, firstBreak, sealEvent } from '@retrigger/domain/event-hash.ts';
import { describe, expect, test } from 'vitest';
import { completed, create, started, trigger } from './command-samples.ts';
import { after, runningExecution } from './task-history.ts';

/** Written down once, never to be changed: whoever has stored events of this version must be able to verify them for ever. */
const FROZEN = {
  eventId: '0123456789abcdefghijkl.0000000002',
  eventType: 'TaskTriggered',
  schemaVersion: 1,
  tenantId: 'acme',
  taskId: 'deploy',
  sequence: 2,
  timestamp: '2026-03-01T08:00:00.000Z',
  actor: { id: 'ada', type: 'user' },
  commandId: 'c-1',
  correlationId: 'corr-1',
  previousState: 'Draft',
  newState: 'Running',
  metadata: {
    attempt: 1,
    context: { '€': 1e21, ratio: 0.1, note: 'line\nbreak' },
    executionId: 'deploy.x',
    runId: 'run_y',
    triggerReason: null,
  },
  previousHash: '00000000000000000000000000000000000000000000000000000000000000aa',
} satisfies Omit<Event, 'hash'>;

const FROZEN_HASH = '38caed5075f6a122a738362649656766fe2c11bad9cf8786daa95b3700adb561';
const FROZEN_JSON =
  '{"actor":{"id":"ada","type":"user"},"commandId":"c-1","correlationId":"corr-1","eventId":"0123456789abcdefghijkl.0000000002","eventType":"TaskTriggered",' +
  '"metadata":{"attempt":1,"context":{"note":"line\\nbreak","ratio":0.1,"€":1e+21},"executionId":"deploy.x","runId":"run_y","triggerReason":null},"newState":"Running",' +
  '"previousHash":"00000000000000000000000000000000000000000000000000000000000000aa","previousState":"Draft","schemaVersion":1,"sequence":2,"taskId":"deploy","tenantId":"acme",' +
  `"timestamp":"2026-03-01T08:00:00.000Z","hash":"${FROZEN_HASH}"}`;

describe('the golden event', () => {
  test('has the frozen hash and the frozen JSON text', () => {
    const { event, json } = sealEvent(FROZEN);
    expect(event.hash).toBe(FROZEN_HASH);
    expect(json).toBe(FROZEN_JSON);
  });

  test('has the same hash when read back from its text', () => {
    expect(expectedHash(JSON.parse(FROZEN_JSON))).toBe(FROZEN_HASH);
  });

  test('has the same hash whatever the order of its fields', () => {
    const shuffled = Object.fromEntries(Object.entries(FROZEN).reverse()) as typeof FROZEN;
    expect(sealEvent(shuffled).json).toBe(FROZEN_JSON);
  });
});

/** Five events of one task, as stored. */
function chain(): Event[] {
  const running = after(create(), trigger());
  const id = runningExecution(running);
  return after(create(), trigger(), started(id), completed(id), trigger({ commandId: 'c-refused' })).events.map(({ json }) =>
    JSON.parse(json),
  );
}

const at = (events: Event[], index: number): Event => events[index] as Event;

describe('the chain', () => {
  test('holds for events as they are stored', () => {
    expect(chain()).toHaveLength(5);
    expect(firstBreak(chain(), 1, NO_HASH)).toBeUndefined();
  });

  test('holds for its later part, given the hash before', () => {
    const events = chain();
    expect(firstBreak(events.slice(2), 3, at(events, 1).hash)).toBeUndefined();
  });

  test('begins with a previousHash of zeros', () => {
    expect(at(chain(), 0).previousHash).toBe('0'.repeat(64));
    expect(firstBreak(chain(), 1, 'f'.repeat(64))).toMatchObject({ sequence: 1 });
  });

  test.each([0, 1, 2, 3, 4])('names the event at index %i when its content is changed', (index) => {
    const events = chain();
    events[index] = { ...at(events, index), actor: { id: 'eve', type: 'user' } };
    expect(firstBreak(events, 1, NO_HASH)).toEqual({ sequence: index + 1, reason: 'hash does not match the content' });
  });

  test('names the event whose hash is changed, even when it is the last', () => {
    const events = chain();
    const last = at(events, 4);
    events[4] = { ...last, hash: last.hash.replace(/^./, (digit) => (digit === '0' ? '1' : '0')) };
    expect(firstBreak(events, 1, NO_HASH)).toMatchObject({ sequence: 5 });
  });

  test('names the event that was changed into what has no canonical form', () => {
    const events = chain();
    events[2] = { ...at(events, 2), metadata: { triggerReason: '\ud800' } };
    expect(firstBreak(events, 1, NO_HASH)).toEqual({ sequence: 3, reason: 'the content has no canonical form' });
  });

  test('names the event after one that was forged with a fitting hash', () => {
    const events = chain();
    const { hash: _, ...body } = at(events, 1);
    events[1] = sealEvent({ ...body, actor: { id: 'eve', type: 'user' as const } }).event;
    expect(firstBreak(events, 1, NO_HASH)).toEqual({ sequence: 3, reason: 'previousHash is not the hash of the event before' });
  });

  test('names the first of two events that changed places', () => {
    const events = chain();
    [events[1], events[2]] = [at(events, 2), at(events, 1)];
    expect(firstBreak(events, 1, NO_HASH)).toEqual({ sequence: 2, reason: 'expected sequence 2, found 3' });
  });

  test('names the place of a dropped event, first one included', () => {
    expect(firstBreak(chain().toSpliced(2, 1), 1, NO_HASH)).toMatchObject({ sequence: 3 });
    expect(firstBreak(chain().slice(1), 1, NO_HASH)).toMatchObject({ sequence: 1 });
  });

  test('names the place of an event that is there twice', () => {
    const events = chain();
    expect(firstBreak(events.toSpliced(2, 0, at(events, 1)), 1, NO_HASH)).toMatchObject({ sequence: 3 });
  });

  test("names the event that was put in from another task's stream", () => {
    const events = chain();
    const foreign = after(create({ taskId: 'other' }), trigger({ taskId: 'other' })).events.map(({ event }) => event as Event);
    expect(firstBreak(events.toSpliced(1, 1, at(foreign, 1)), 1, NO_HASH)).toMatchObject({ sequence: 2 });
  });
});

/** RFC 8785, appendix B: the number's bits as IEEE 754 and its text. */
const NUMBERS: [string, string][] = [
  ['0000000000000000', '0'],
  ['8000000000000000', '0'],
  ['0000000000000001', '5e-324'],
  ['8000000000000001', '-5e-324'],
  ['7fefffffffffffff', '1.7976931348623157e+308'],
  ['ffefffffffffffff', '-1.7976931348623157e+308'],
  ['4340000000000000', '9007199254740992'],
  ['c340000000000000', '-9007199254740992'],
  ['4430000000000000', '295147905179352830000'],
  ['44b52d02c7e14af5', '9.999999999999997e+22'],
  ['44b52d02c7e14af6', '1e+23'],
  ['44b52d02c7e14af7', '1.0000000000000001e+23'],
  ['444b1ae4d6e2ef4e', '999999999999999700000'],
  ['444b1ae4d6e2ef4f', '999999999999999900000'],
  ['444b1ae4d6e2ef50', '1e+21'],
  ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
  ['3eb0c6f7a0b5ed8d', '0.000001'],
  ['41b3de4355555553', '333333333.3333332'],
  ['41b3de4355555554', '333333333.33333325'],
  ['41b3de4355555555', '333333333.3333333'],
  ['41b3de4355555556', '333333333.3333334'],
  ['41b3de4355555557', '333333333.33333343'],
  ['becbf647612f3696', '-0.0000033333333333333333'],
  ['43143ff3c1cb0959', '1424953923781206.2'],
];

describe('canonical JSON (RFC 8785)', () => {
  test.each(NUMBERS)('writes the number with bits %s as %s', (bits, text) => {
    expect(canonicalJson(Buffer.from(bits, 'hex').readDoubleBE())).toBe(text);
  });

  test('writes the primitive types as in section 3.2.2', () => {
    const input = String.raw`{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`;
    const output = String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`;
    expect(canonicalJson(JSON.parse(input))).toBe(output);
  });

  test('sorts members by UTF-16 code units as in section 3.2.3', () => {
    const input = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\ud83d\ude00': 5, '\u0080': 6, '\u00f6': 7 };
    expect(Object.values(JSON.parse(canonicalJson(input)))).toHaveLength(7);
    expect(canonicalJson(input)).toBe('{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\ud83d\ude00":5,"\ufb33":3}');
  });

  test('leaves out undefined members and keeps __proto__', () => {
    expect(canonicalJson({ b: undefined, a: 1 })).toBe('{"a":1}');
    expect(canonicalJson(JSON.parse('{"__proto__":1}'))).toBe('{"__proto__":1}');
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, '\ud800', undefined])("throws on %j, which JSON can't say", (value) => {
    expect(() => canonicalJson(value)).toThrow();
  });
});
