import { isPointer, isSameJson, valueAt } from '@retrigger/domain/json-pointer.ts';
import { assert, jsonValue, property } from 'fast-check';
import { describe, expect, test } from 'vitest';

/** RFC 6901, section 5. */
const DOCUMENT = JSON.parse('{"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\\\j":5,"k\\"l":6," ":7,"m~n":8}');

describe('a JSON Pointer', () => {
  test.each([
    ['', DOCUMENT],
    ['/foo', ['bar', 'baz']],
    ['/foo/0', 'bar'],
    ['/', 0],
    ['/a~1b', 1],
    ['/c%d', 2],
    ['/e^f', 3],
    ['/g|h', 4],
    ['/i\\j', 5],
    ['/k"l', 6],
    ['/ ', 7],
    ['/m~0n', 8],
  ])('%j points at the value of RFC 6901, section 5', (pointer, value) => {
    expect(valueAt(DOCUMENT, pointer)).toEqual(value);
  });

  test.each([
    '/none',
    '/foo/2',
    '/foo/-',
    '/foo/00',
    '/foo/01',
    '/foo/1.0',
    '/foo/length',
    '/foo/0/0',
    '/a/b',
    '/__proto__',
    '/constructor',
    '/toString',
  ])('%j points at nothing', (pointer) => {
    expect(valueAt(DOCUMENT, pointer)).toBeUndefined();
  });

  test('reads ~01 as ~1, not as a slash', () => {
    expect(valueAt({ '~1': 'tilde', '/': 'slash' }, '/~01')).toBe('tilde');
  });

  test('tells null from nothing', () => {
    expect(valueAt({ a: null }, '/a')).toBeNull();
    expect(valueAt({ a: null }, '/a/b')).toBeUndefined();
    expect(valueAt(null, '')).toBeNull();
  });

  test.each(['', '/', '/a', '/a/0', '/~0~1', '//'])('%j is well formed', (text) => {
    expect(isPointer(text)).toBe(true);
  });

  test.each(['a', 'a/b', '/~', '/~2', '/a~', '#/a'])('%j is not', (text) => {
    expect(isPointer(text)).toBe(false);
  });
});

describe('equality of JSON values', () => {
  test('does not count the order of members', () => {
    expect(isSameJson({ a: 1, b: [{ c: 2, d: 3 }] }, { b: [{ d: 3, c: 2 }], a: 1 })).toBe(true);
  });

  test('counts the order of a list, the type and every member', () => {
    expect(isSameJson([1, 2], [2, 1])).toBe(false);
    expect(isSameJson(1, '1')).toBe(false);
    expect(isSameJson(0, false)).toBe(false);
    expect(isSameJson(null, {})).toBe(false);
    expect(isSameJson({ a: 1 }, { a: 1, b: null })).toBe(false);
  });

  test('holds for a value and its copy', () => {
    assert(
      property(jsonValue({ noUnicodeString: true }), (value) =>
        isSameJson(JSON.parse(JSON.stringify(value)), JSON.parse(JSON.stringify(value))),
      ),
    );
  });
});
