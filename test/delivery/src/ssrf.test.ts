import type { LookupAddress } from 'node:dns';
import type { Resolve } from '@retrigger/delivery/guarded-connect.ts';
import { httpTargets } from '@retrigger/delivery/http-target.ts';
import { literalTargetRefusal } from '@retrigger/delivery/private-address.ts';
import { systemClock } from '@retrigger/lifecycle/system-clock.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startServer } from './target-server.ts';

/** Everything by which a target could make this process reach what only it can reach. `{port}` is that of a server on loopback, which must hear of none. */
type Way = { name: string; url: string; dns?: LookupAddress[][] };

const v4 = (address: string): LookupAddress => ({ address, family: 4 });
const v6 = (address: string): LookupAddress => ({ address, family: 6 });
const PUBLIC = v4('93.184.215.14');

const LITERAL: Way[] = [
  { name: 'loopback', url: 'http://127.0.0.1:{port}/' },
  { name: 'another loopback', url: 'http://127.8.8.8:{port}/' },
  { name: 'unspecified', url: 'http://0.0.0.0:{port}/' },
  { name: 'zero alone', url: 'http://0:{port}/' },
  { name: 'short form', url: 'http://127.1:{port}/' },
  { name: 'decimal', url: 'http://2130706433:{port}/' },
  { name: 'octal', url: 'http://0177.0.0.1:{port}/' },
  { name: 'octal in one number', url: 'http://017700000001:{port}/' },
  { name: 'hexadecimal', url: 'http://0x7f.0.0.1:{port}/' },
  { name: 'hexadecimal in one number', url: 'http://0x7f000001:{port}/' },
  { name: 'mixed bases', url: 'http://0x7f.0.01:{port}/' },
  { name: 'a trailing dot', url: 'http://127.0.0.1.:{port}/' },
  { name: 'full-width digits', url: 'http://１２７.０.０.１:{port}/' },
  { name: 'ideographic dots', url: 'http://127。0。0。1:{port}/' },
  { name: 'circled digits', url: 'http://①②⑦.⓪.⓪.①:{port}/' },
  { name: 'per cent signs', url: 'http://%31%32%37%2e0.0.1:{port}/' },
  { name: 'IPv6 loopback', url: 'http://[::1]:{port}/' },
  { name: 'IPv6 loopback in full', url: 'http://[0:0:0:0:0:0:0:1]:{port}/' },
  { name: 'IPv6 unspecified', url: 'http://[::]:{port}/' },
  { name: 'IPv4 mapped', url: 'http://[::ffff:127.0.0.1]:{port}/' },
  { name: 'IPv4 mapped, hexadecimal', url: 'http://[::ffff:7f00:1]:{port}/' },
  { name: 'IPv4 compatible', url: 'http://[::7f00:1]:{port}/' },
  { name: 'IPv4 translated', url: 'http://[::ffff:0:7f00:1]:{port}/' },
  { name: 'NAT64', url: 'http://[64:ff9b::7f00:1]:{port}/' },
  { name: '6to4', url: 'http://[2002:7f00:1::]:{port}/' },
  { name: 'Teredo', url: 'http://[2001:0:7f00:1::]:{port}/' },
  { name: 'unique local', url: 'http://[fd12:3456::1]:{port}/' },
  { name: 'link-local', url: 'http://[fe80::1]:{port}/' },
  { name: 'multicast', url: 'http://224.0.0.1:{port}/' },
  { name: 'a private network', url: 'http://192.168.1.1/' },
  { name: 'metadata of AWS, Google, Azure', url: 'http://169.254.169.254/latest/meta-data/' },
  { name: 'metadata, decimal', url: 'http://2852039166/latest/meta-data/' },
  { name: 'metadata, IPv6 mapped', url: 'http://[::ffff:a9fe:a9fe]/latest/meta-data/' },
  { name: 'metadata of AWS over IPv6', url: 'http://[fd00:ec2::254]/latest/meta-data/' },
  { name: 'metadata of AWS containers', url: 'http://169.254.170.2/v2/credentials/' },
  { name: 'metadata of Alibaba', url: 'http://100.100.100.200/latest/meta-data/' },
  { name: 'metadata of Oracle', url: 'http://192.0.0.192/opc/v2/instance/' },
  { name: 'the host of Azure', url: 'http://168.63.129.16/machine?comp=goalstate' },
  { name: 'file', url: 'file:///etc/passwd' },
  { name: 'gopher', url: 'gopher://127.0.0.1:{port}/_GET' },
  { name: 'ftp', url: 'ftp://127.0.0.1:{port}/' },
  { name: 'data', url: 'data:application/json,{}' },
  { name: 'websocket', url: 'ws://127.0.0.1:{port}/' },
  { name: 'a Unix socket', url: 'unix:/var/run/docker.sock' },
  { name: 'credentials that look like a host', url: 'http://example.com@127.0.0.1:{port}/' },
];

const NAMED: Way[] = [
  { name: 'a name that leads to loopback', url: 'http://inside.example:{port}/', dns: [[v4('127.0.0.1')]] },
  { name: 'to loopback over IPv6', url: 'http://inside.example:{port}/', dns: [[v6('::1')]] },
  { name: 'to loopback, IPv4 mapped', url: 'http://inside.example:{port}/', dns: [[v6('::ffff:127.0.0.1')]] },
  { name: 'to metadata', url: 'http://metadata.google.internal/', dns: [[v4('169.254.169.254')]] },
  { name: 'to a public and a private address', url: 'http://mixed.example:{port}/', dns: [[PUBLIC, v4('127.0.0.1')]] },
  { name: 'to a private and a public address', url: 'http://mixed.example:{port}/', dns: [[v4('10.0.0.1'), PUBLIC]] },
  { name: 'localhost', url: 'http://localhost:{port}/', dns: [[v4('127.0.0.1'), v6('::1')]] },
  { name: 'a name whose digits look like an address', url: 'http://127.0.0.1.nip.example:{port}/', dns: [[v4('127.0.0.1')]] },
];

const call = (url: string) => ({
  ...{ url, method: 'POST', headers: {}, timeoutMs: 5_000, secret: Buffer.from('a secret') },
  request: { executionId: 'e', runId: 'r', taskId: 't', attempt: 1, context: {} },
});
const parse = (bytes: Uint8Array) => ({ kind: 'value' as const, value: JSON.parse(Buffer.from(bytes).toString()) });

describe('a target can not make this process call', () => {
  const cleanups: (() => Promise<void>)[] = [];
  let server: Awaited<ReturnType<typeof startServer>>;
  beforeEach(async () => {
    server = await startServer((response) => response.end('{}'));
    cleanups.push(server.stop);
  });
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0)) await cleanup();
  });

  function targetsWith(dns: LookupAddress[][] = [], allowPrivate = false) {
    let asked = 0;
    const resolve: Resolve = (_, done) => done(null, dns[Math.min(asked++, dns.length - 1)] ?? []);
    const targets = httpTargets({ clock: systemClock, allowPrivate, parse, resolve });
    cleanups.push(() => targets.close());
    return { targets, asked: () => asked };
  }

  test.each(LITERAL)('$name: $url, which is refused at creation and when it is called all the same', async ({ url }) => {
    const given = url.replace('{port}', String(server.port));
    expect(literalTargetRefusal(given, false)).toBeDefined();
    const { targets, asked } = targetsWith([[v4('127.0.0.1')]]);
    const answer = await targets.call(call(given), new AbortController().signal);
    expect(answer).toMatchObject({ kind: 'failed', error: { code: 'target_refused_address' }, retryable: false });
    expect([asked(), server.received]).toEqual([0, []]);
  });

  test.each(NAMED)('$name', async ({ url, dns = [] }) => {
    const { targets } = targetsWith(dns);
    const answer = await targets.call(call(url.replace('{port}', String(server.port))), new AbortController().signal);
    expect(answer).toMatchObject({ kind: 'failed', error: { code: 'target_refused_address' }, retryable: false });
    expect(server.received).toEqual([]);
  });

  test('an address that a name only has once it was checked: what was checked is what is connected to', async () => {
    const { targets, asked } = targetsWith([[v4('127.0.0.1')], [v4('169.254.169.254')]], true);
    const answer = await targets.call(call(`http://rebinding.example:${server.port}/`), new AbortController().signal);
    expect([answer.kind, asked(), server.received.length]).toEqual(['completed', 1, 1]);
  });

  test('an address that a name has at the next connection: it is checked anew', async () => {
    const { targets, asked } = targetsWith([[v4('0.0.0.0')], [v4('127.0.0.1')]]);
    for (let i = 0; i < 2; i++) {
      const answer = await targets.call(call(`http://rebinding.example:${server.port}/`), new AbortController().signal);
      expect(answer).toMatchObject({ error: { code: 'target_refused_address' } });
    }
    expect([asked(), server.received]).toEqual([2, []]);
  });

  test.each([301, 302, 303, 307, 308])('what a redirect (%i) leads to', async (status) => {
    const other = await startServer((response) => response.end('{"secret":1}'));
    const sender = await startServer((response) => response.writeHead(status, { location: other.url }).end());
    cleanups.push(other.stop, sender.stop);
    const { targets } = targetsWith([[v4('127.0.0.1')]], true);
    const answer = await targets.call(call(`http://outside.example:${sender.port}/`), new AbortController().signal);
    expect(answer).toMatchObject({ kind: 'failed', error: { code: 'target_status' }, retryable: false });
    expect(other.received).toEqual([]);
  });
});
