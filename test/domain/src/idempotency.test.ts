import { differingFields, fingerprint } from '@retrigger/domain/idempotency.ts';
import { describe, expect, test } from 'vitest';

describe('fingerprints', () => {
  test('are the same for the same request, whatever the order of its fields at any depth', () => {
    const one = fingerprint({ a: 1, b: { c: [1, 2], d: null } }, { dryRun: 'true', at: 'x' });
    const other = fingerprint({ b: { d: null, c: [1, 2] }, a: 1 }, { at: 'x', dryRun: 'true' });
    expect(JSON.stringify(one)).toBe(JSON.stringify(other));
    expect(differingFields(one, other)).toEqual([]);
  });

  test('name each field that differs, is missing or is new, sorted; query parameters with a question mark', () => {
    const first = fingerprint({ context: { a: 1 }, reason: 'x', same: true }, { dryRun: 'true' });
    const second = fingerprint({ context: { a: 2 }, extra: 0, same: true }, { dryRun: 'false' });
    expect(differingFields(first, second)).toEqual(['?dryRun', 'context', 'extra', 'reason']);
  });

  test('tell a missing field from null, a number from its text, and an order of a list from another', () => {
    expect(differingFields(fingerprint({ a: null }), fingerprint({}))).toEqual(['a']);
    expect(differingFields(fingerprint({ a: 1 }), fingerprint({ a: '1' }))).toEqual(['a']);
    expect(differingFields(fingerprint({ a: [1, 2] }), fingerprint({ a: [2, 1] }))).toEqual(['a']);
    expect(differingFields(fingerprint({ a: undefined }), fingerprint({}))).toEqual([]);
  });

  test('keep no value', () => {
    expect(JSON.stringify(fingerprint({ password: 'correct horse battery staple' }))).not.toContain('horse');
  });

  test('are not confused by a field named like a member of every object', () => {
    expect(differingFields(fingerprint({ toString: 1 }), fingerprint({}))).toEqual(['toString']);
    expect(differingFields(fingerprint(JSON.parse('{"__proto__":1}')), fingerprint({}))).toEqual(['__proto__']);
  });
});
