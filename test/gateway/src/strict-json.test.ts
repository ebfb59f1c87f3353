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
])('%.40s is refused at %s', (text, path, message) => {
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
