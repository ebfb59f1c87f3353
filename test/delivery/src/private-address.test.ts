import { isPrivateAddress, literalTargetRefusal } from '@retrigger/delivery/private-address.ts';
import { expect, test } from 'vitest';

test.each([
  '0.0.0.0',
  '0.1.2.3',
  '10.0.0.1',
  '10.255.255.255',
  '100.64.0.1',
  '100.127.255.255',
  '100.100.100.200',
  '127.0.0.1',
  '127.255.255.254',
  '168.63.129.16',
  '169.254.169.254',
  '169.254.0.1',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.192',
  '192.0.2.1',
  '192.168.0.1',
  '198.18.0.1',
  '198.19.255.255',
  '198.51.100.7',
  '203.0.113.7',
  '224.0.0.1',
  '239.255.255.255',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::ffff:127.0.0.1',
  '::ffff:8.8.8.8',
  '::ffff:a00:1',
  '::7f00:1',
  '::ffff:0:127.0.0.1',
  '64:ff9b::127.0.0.1',
  '64:ff9b::a9fe:a9fe',
  '64:ff9b:1::808:808',
  '100::1',
  '2001::1',
  '2001:db8::1',
  '2002:7f00:1::',
  '3fff::1',
  'fc00::1',
  'fd00:ec2::254',
  'fe80::1',
  'fe80::1%eth0',
  'fec0::1',
  'ff02::1',
  '5f00::1',
  '',
  'localhost',
  '127.1',
  '0x7f000001',
  '2130706433',
  '8.8.8.8 ',
  '1.2.3.256',
])('%s is private', (ip) => {
  expect(isPrivateAddress(ip)).toBe(true);
});

test.each([
  '1.1.1.1',
  '8.8.8.8',
  '9.255.255.255',
  '11.0.0.1',
  '100.63.255.255',
  '100.128.0.1',
  '126.255.255.255',
  '128.0.0.1',
  '168.63.129.17',
  '172.15.255.255',
  '172.32.0.1',
  '192.167.255.255',
  '192.169.0.1',
  '198.17.255.255',
  '198.20.0.1',
  '223.255.255.255',
  '2606:4700:4700::1111',
  '2a00:1450:4001:830::200e',
  '2001:4860:4860::8888',
  '64:ff9b::8.8.8.8',
  '64:ff9b::101:101',
])('%s is public', (ip) => {
  expect(isPrivateAddress(ip)).toBe(false);
});

test.each([
  'http://127.0.0.1/',
  'http://127.1/',
  'http://0177.0.0.1/',
  'http://0x7f.0.0.1/',
  'http://0x7f000001/',
  'http://2130706433/',
  'http://017700000001/',
  'http://127.0.0.1./',
  'http://１２７.０.０.１/',
  'http://127%2e0%2e0%2e1/',
  'http://127。0。0。1/',
  'http://0/',
  'https://10.0.0.1:8443/',
  'http://169.254.169.254/latest/meta-data/',
  'http://0xa9fea9fe/',
  'http://2852039166/',
  'http://[::1]/',
  'http://[::ffff:127.0.0.1]/',
  'http://[::ffff:7f00:1]/',
  'http://[0:0:0:0:0:0:0:1]/',
  'http://[fd00:ec2::254]/',
  'http://[::]/',
  'http://[64:ff9b::a9fe:a9fe]/',
])('refuses %s while private targets are not allowed', (url) => {
  expect(literalTargetRefusal(url, false)).toMatch(/private/);
  expect(literalTargetRefusal(url, true)).toBeUndefined();
});

test.each([
  'ftp://example.com/',
  'file:///etc/passwd',
  'javascript:alert(1)',
  'gopher://127.0.0.1/',
  'data:,x',
  'example.com/run',
  '',
  'http://',
  'http://[::1',
  'http://user@example.com/',
  'http://user:secret@example.com/',
  'https://:secret@example.com/',
])('refuses %s always', (url) => {
  expect(literalTargetRefusal(url, false)).toBeDefined();
  expect(literalTargetRefusal(url, true)).toBeDefined();
});

test('a refusal does not repeat the URL', () => {
  expect(literalTargetRefusal('http://user:hunter2@example.com/?token=hunter2', false)).not.toContain('hunter2');
});

test.each([
  'https://example.com/run',
  'http://example.com:8080/',
  'https://8.8.8.8/',
  'http://[2606:4700:4700::1111]/',
  'http://localhost/',
  'http://10.example.com/',
])('lets %s pass: a name is checked when it is called', (url) => {
  expect(literalTargetRefusal(url, false)).toBeUndefined();
});
