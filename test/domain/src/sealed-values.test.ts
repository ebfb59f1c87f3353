import { randomBytes } from 'node:crypto';
import type { Json } from '@retrigger/domain/json.ts';
import {
  type DataKey,
  isWhatWasSealed,
  openValue,
  type SealedPlace,
  sealedUnder,
  sealValue,
} from '@retrigger/domain/privacy/sealed-value.ts';
import { unwrap, wrap } from '@retrigger/domain/privacy/wrapped-secret.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const key: DataKey = { token: `k_${'a'.repeat(22)}`, key: Buffer.alloc(32, 1) };
const other: DataKey = { token: `k_${'b'.repeat(22)}`, key: Buffer.alloc(32, 2) };
const place: SealedPlace = { tenantId: 'acme', taskId: 'pay', kind: 'context' };
const json = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as Json);

describe('a sealed value', () => {
  test('opens to what was sealed, whatever JSON that was, and shows none of it', () => {
    fc.assert(
      fc.property(json, fc.constantFrom('context', 'result', 'error', 'reason'), (value, kind) => {
        const sealed = sealValue(key, { ...place, kind }, 'command', value);
        expect(openValue(key, { ...place, kind }, sealed)?.value).toEqual(value);
        expect(sealedUnder(sealed)).toBe(key.token);
      }),
    );
    expect(JSON.stringify(sealValue(key, place, 'command', { name: 'canary' }))).not.toContain('canary');
  });

  test('texts stay texts, everything else becomes an object', () => {
    const kinds = (['context', 'result', 'error', 'reason'] as const).map((kind) => typeof sealValue(key, { ...place, kind }, 'c', 'x'));
    expect(kinds).toEqual(['object', 'object', 'string', 'string']);
  });

  test('the same command with the same value makes the same bytes; another command, value or place makes another nonce (Z1)', () => {
    const seal = (commandId: string, value: Json, where = place) => JSON.stringify(sealValue(key, where, commandId, value));
    expect(seal('c', { a: 1, b: 2 })).toBe(seal('c', { b: 2, a: 1 }));
    const all = [
      seal('c', 1),
      seal('c', 2),
      seal('d', 1),
      seal('c', 1, { ...place, taskId: 'other' }),
      seal('c', 1, { ...place, kind: 'result' }),
    ];
    const nonces = all.map((text) =>
      Buffer.from(text.split('.')[2] ?? '', 'base64url')
        .subarray(0, 12)
        .toString('hex'),
    );
    expect(new Set(nonces).size).toBe(all.length);
  });

  test('does not open under another key, in another place, or with any bit changed', () => {
    const sealed = sealValue(key, place, 'c', { secret: true }) as { $sealed: string };
    expect(openValue(other, place, sealed)).toBeUndefined();
    for (const moved of [{ tenantId: 'other' }, { taskId: 'other' }, { kind: 'result' as const }])
      expect(openValue(key, { ...place, ...moved }, sealed)).toBeUndefined();
    const [version, token, body = '', commitment] = sealed.$sealed.split('.');
    const bytes = Buffer.from(body, 'base64url');
    for (let i = 0; i < bytes.length; i++) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8((changed[i] ?? 0) ^ 1, i);
      expect(openValue(key, place, { $sealed: [version, token, changed.toString('base64url'), commitment].join('.') })).toBeUndefined();
    }
  });

  test('with its salt anybody can tell that it is what was sealed, and nothing else is; without any key (Z2)', () => {
    const sealed = sealValue(key, place, 'c', { iban: 'DE00' });
    const { salt = '' } = openValue(key, place, sealed) ?? {};
    expect(isWhatWasSealed(sealed, 'context', { iban: 'DE00' }, salt)).toBe(true);
    expect(isWhatWasSealed(sealed, 'context', { iban: 'DE01' }, salt)).toBe(false);
    expect(isWhatWasSealed(sealed, 'result', { iban: 'DE00' }, salt)).toBe(false);
    expect(isWhatWasSealed(sealed, 'context', { iban: 'DE00' }, randomBytes(16).toString('base64url'))).toBe(false);
    const [a, b] = ['c', 'd'].map((commandId) => openValue(key, place, sealValue(key, place, commandId, 1))?.salt);
    expect(a).not.toBe(b);
  });

  test.each<[Json | undefined]>([
    [undefined],
    [null],
    ['text'],
    [{}],
    [{ $sealed: 1 }],
    [{ $sealed: 'v1.k_x.y.z' }],
    [{ $sealed: 'v1', more: 1 }],
    [[]],
  ])('what no door has sealed is not taken for it: %j', (value) => {
    expect(sealedUnder(value)).toBeUndefined();
    expect(openValue(key, place, value ?? null)).toBeUndefined();
  });
});

test('a wrapped secret opens under its master key and token alone', () => {
  const [master, secret] = [randomBytes(32), randomBytes(40)];
  const wrapped = wrap(master, 'u_token', randomBytes(12), secret);
  expect(unwrap(master, 'u_token', wrapped)).toEqual(secret);
  expect(() => unwrap(randomBytes(32), 'u_token', wrapped)).toThrow();
  expect(() => unwrap(master, 'u_other', wrapped)).toThrow();
});
