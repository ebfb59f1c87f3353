import { MAX_BODY_BYTES, MAX_DEPTH, parseStrictJson } from '@retrigger/contract/strict-json.ts';
import { canonicalJson } from '@retrigger/domain/event-hash.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const parse = (text: string) => parseStrictJson(Buffer.from(text));
const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);

test.each([
  ['{"a":[1,{"__proto__":{}}]}', 'a[1].__proto__', 'is not allowed as a name'],
  ['{"\\u005f_proto__":1}', '__proto__', 'is not allowed as a name'],
  ['{"a":1e999}', 'a', 'is a number out of range'],
  ['{"a":["\\ud800"]}', 'a[0]', 'has an unpaired surrogate'],
  ['{"a":{"\\udc00":1}}', 'a', 'has a name with an unpaired surrogate'],
  [`{"a":${nested(MAX_DEPTH)}}`, `a${'[0]'.repeat(MAX_DEPTH - 1)}`, 'nests deeper than 32 levels'],
])('%s is refused at %s', (text, path, message) => {
  expect(parse(text)).toEqual({ kind: 'invalid', error: { path, message } });
});

test.each(['', '{', '{"a":1,}', "{'a':1}", 'NaN', '\ufeff{}', '{"a":1}x'])('%j is malformed', (text) => {
  expect(parse(text)).toMatchObject({ kind: 'invalid', error: { path: '', message: expect.stringMatching(/^malformed JSON/) } });
});

test('bytes that are no UTF-8 are refused', () => {
  expect(parseStrictJson(Buffer.from([0x22, 0xff, 0x22]))).toMatchObject({ kind: 'invalid', error: { message: 'not valid UTF-8' } });
});

test('thirty-two levels and a megabyte are taken, more is not', () => {
  expect(parse(nested(MAX_DEPTH)).kind).toBe('value');
  expect(parse(nested(MAX_DEPTH + 1)).kind).toBe('invalid');
  expect(parse(`"${'x'.repeat(MAX_BODY_BYTES - 2)}"`).kind).toBe('value');
  expect(parse(`"${'x'.repeat(MAX_BODY_BYTES - 1)}"`)).toEqual({ kind: 'too_large', bytes: MAX_BODY_BYTES + 1 });
  expect(parse('['.repeat(MAX_BODY_BYTES / 2) + ']'.repeat(MAX_BODY_BYTES / 2)).kind).toBe('invalid');
});

test('a megabyte is also the most when its numbers are written in full (J4)', () => {
  const [short, full] = [',1e20'.repeat(60_000).slice(1), ',100000000000000000000'.repeat(60_000).slice(1)];
  expect(parse(`[${short}]`)).toEqual({ kind: 'too_large', bytes: full.length + 2 });
  expect(parse(`[${short.slice(0, 200_000 - 1)}]`).kind).toBe('value');
  expect(parse(`"${short}"`).kind).toBe('value');
});

test('a view into a larger buffer is read where it lies', () => {
  const all = Buffer.from('xx{"a":1}yy');
  expect(parseStrictJson(new Uint8Array(all.buffer, all.byteOffset + 2, 7))).toEqual({ kind: 'value', value: { a: 1 } });
});

test('whatever passes has a canonical form (J1)', { timeout: 30_000 }, () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 5, stringUnit: 'binary' }), (text) => {
      const parsed = parse(text);
      if (parsed.kind === 'value') expect(JSON.parse(canonicalJson(parsed.value))).toEqual(JSON.parse(JSON.stringify(parsed.value)));
    }),
  );
});

const MORE = 'is given more than once';
const LONG = 'is an integer with more digits than a double keeps; send it as a string';

test.each([
  ['{"a":1,"a":2}', 'a', MORE],
  ['{"a":1,"\\u0061":1}', 'a', MORE],
  ['{"context":{"b":[{},{"c" :1 ,"d":":","c"\n: 2}]}}', 'context.b[1].c', MORE],
  ['{"":1,"":1}', '', MORE],
  ['{"context":{"orderId":9007199254740993}}', 'context.orderId', LONG],
  ['[1,[2,-9223372036854775807]]', '[1][1]', LONG],
  ['{"a":{"b":1},"c":1000000000000000000000001}', 'c', LONG],
])('%s would not be kept as it was sent, and is refused at %s (J3)', (text, path, message) => {
  expect(parse(text)).toEqual({ kind: 'invalid', error: { path, message } });
  expect(parseStrictJson(Buffer.from(text), { maxBytes: 100, maxDepth: 10, mayLose: true }).kind).toBe('value');
});

test.each([
  '{"a":{"x":1},"b":{"x":1},"c":[{"x":1},{"x":1}]}',
  '{"a":"\\":1","b":":","c":"{\\"a\\":1,\\"a\\":2}"}',
  '{"a":9007199254740991,"b":-0,"c":1e300,"d":9007199254740993.5,"e":"9007199254740993"}',
  '[9007199254740992,1152921504606847000,100000000000000000000,1200000000000000000000]',
])('%s is kept as it was sent (J3)', (text) => {
  expect(parse(text)).toEqual({ kind: 'value', value: JSON.parse(text) });
});

test('what this language writes is never refused, and a name that is repeated always is (J3)', { timeout: 30_000 }, () => {
  const names = fc.constantFrom('a', ':', '"', '\\', '":', '":1,"', '{', '}', ',', '');
  const tied = fc.letrec((tie) => ({
    value: fc.oneof({ maxDepth: 3 }, names, fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer(), tie('object'), tie('array')),
    array: fc.array(tie('value'), { maxLength: 3 }),
    object: fc.dictionary(names, tie('value'), { maxKeys: 4 }),
  }));
  fc.assert(
    fc.property(tied.object as fc.Arbitrary<{ [name: string]: unknown }>, names, (value, name) => {
      const text = JSON.stringify(value);
      const read = parse(text);
      expect(read.kind === 'value' && JSON.stringify(read.value)).toBe(text);
      const [member, inside] = [JSON.stringify(name), text.slice(1, -1)];
      expect(parse(`{${member} : 1,${inside}${inside === '' ? '' : ','}${member}:2}`)).toMatchObject({
        kind: 'invalid',
        error: { message: MORE },
      });
    }),
  );
});

test('a name with an escape is never taken for one that somebody sent before (J3)', () => {
  const sent = ['\\u00e9tat', '\\u20ac', 'n\\n', 'a\\"b', 'gr\\u00fcn', 'C:\\\\dir', 'a\\/b'];
  for (const [i, name] of sent.entries()) {
    const plain: string = JSON.parse(`"${name}"`);
    parse(JSON.stringify({ [`f${i}`]: 1, [name.slice(0, plain.length)]: 2 })); // what V8 would go by
    expect(parse(`{"f${i}":1,"${name}":2}`)).toEqual({ kind: 'value', value: { [`f${i}`]: 1, [plain]: 2 } });
  }
  parse('{"g":1,"\\\\u005f_pr":2}');
  expect(parse('{"g":1,"\\u005f_proto__":{}}')).toMatchObject({ kind: 'invalid', error: { path: '__proto__' } });
});
