import { secretOf, secretText, sign, verify } from '@retrigger/delivery/standard-webhooks.ts';
import { expect, test } from 'vitest';

const secret = Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64');
const at = 1_614_265_330_000;
const body = '{"test": 2432232314}';
const headers = sign(secret, 'msg_p5jXN8AQM9LWM0D4loKWxJek', at, body);

test('the signature is the one of the published example', () => {
  expect(headers).toEqual({
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  });
});

test('a secret survives its text', () => {
  expect(secretText(secret)).toBe('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');
  expect(secretOf(secretText(secret))).toEqual(secret);
  expect(secretOf('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')).toBeUndefined();
  expect(secretOf('whsec_')).toBeUndefined();
});

test('a message is valid as it was signed, also beside other signatures', () => {
  expect(verify(secret, headers, body, at + 299_000)).toEqual({ kind: 'valid' });
  const several = { ...headers, 'webhook-signature': `v1a,AAAA v1,AAAA ${headers['webhook-signature']}` };
  expect(verify(secret, several, body, at)).toEqual({ kind: 'valid' });
});

test.each([
  ['another body', headers, `${body} `, at, secret],
  ['another id', { ...headers, 'webhook-id': 'msg_2' }, body, at, secret],
  ['another timestamp', { ...headers, 'webhook-timestamp': '1614265331' }, body, at, secret],
  ['another secret', headers, body, at, Buffer.from('other')],
  ['a try 6 minutes old', headers, body, at + 360_000, secret],
  ['a try 6 minutes ahead', headers, body, at - 360_000, secret],
  ['no signature', { ...headers, 'webhook-signature': '' }, body, at, secret],
  ['a repeated header', { ...headers, 'webhook-id': ['a', 'b'] }, body, at, secret],
  ['a timestamp that is none', { ...headers, 'webhook-timestamp': 'now' }, body, at, secret],
])('refuses %s', (_what, given, text, now, key) => {
  expect(verify(key, given, text, now).kind).toBe('invalid');
});
