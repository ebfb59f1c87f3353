import { BlockList, isIP } from 'node:net';

/** Networks that no public host has: RFC 6890 and its registries, multicast, and the metadata addresses of clouds that are not in them. */
const PRIVATE_V4: readonly [string, number][] = [
  ['0.0.0.0', 8], // this network, unspecified
  ['10.0.0.0', 8],
  ['100.64.0.0', 10], // carrier-grade NAT; also Alibaba's metadata
  ['127.0.0.0', 8],
  ['168.63.129.16', 32], // Azure's host
  ['169.254.0.0', 16], // link-local; metadata of AWS, Google, Azure and others
  ['172.16.0.0', 12],
  ['192.0.0.0', 24], // protocol assignments; Oracle's metadata
  ['192.0.2.0', 24], // documentation
  ['192.88.99.0', 24], // 6to4 relays
  ['192.168.0.0', 16],
  ['198.18.0.0', 15], // benchmarks
  ['198.51.100.0', 24], // documentation
  ['203.0.113.0', 24], // documentation
  ['224.0.0.0', 4], // multicast
  ['240.0.0.0', 4], // reserved, broadcast
];

/** Inside 2000::/3. Everything outside it (loopback, mapped, unique local, link-local, multicast, …) is no public address at all. */
const PRIVATE_V6: readonly [string, number][] = [
  ['2001::', 23], // protocol assignments, Teredo
  ['2001:db8::', 32], // documentation
  ['2002::', 16], // 6to4: an IPv4 address in disguise
  ['3fff::', 20], // documentation
];

const privateV4 = new BlockList();
for (const [network, prefix] of PRIVATE_V4) privateV4.addSubnet(network, prefix, 'ipv4');
const privateV6 = new BlockList();
for (const [network, prefix] of PRIVATE_V6) privateV6.addSubnet(network, prefix, 'ipv6');
const globalV6 = new BlockList();
globalV6.addSubnet('2000::', 3, 'ipv6');
/** NAT64 (RFC 6052): what DNS64 answers on networks that have IPv6 only. The IPv4 address in it decides. */
const nat64 = new BlockList();
nat64.addSubnet('64:ff9b::', 96, 'ipv6');

/** Whether an IP address is not a public host's: private, loopback, link-local, unspecified, multicast, reserved, metadata. What is no IP address counts as private. */
export function isPrivateAddress(ip: string): boolean {
  const family = isIP(ip);
  if (family === 4) return privateV4.check(ip, 'ipv4');
  if (family !== 6 || ip.includes('%')) return true;
  if (nat64.check(ip, 'ipv6')) return privateV4.check(lastIPv4(ip), 'ipv4');
  return !globalV6.check(ip, 'ipv6') || privateV6.check(ip, 'ipv6');
}

/** The last 32 bits of an IPv6 address as an IPv4 address. URL parsing turns a dotted tail into hexadecimal groups. */
function lastIPv4(ip: string): string {
  const groups = new URL(`http://[${ip}]`).hostname.slice(1, -1).split(':');
  const [high = '', low = ''] = groups.slice(-2);
  const bits = [high, low].map((group) => Number.parseInt(group || '0', 16));
  return bits.flatMap((group) => [group >> 8, group & 0xff]).join('.');
}

/**
 * Why a target or subscription may not have this URL, or undefined when it may. Only what the text itself shows: http(s), no credentials, no private
 * address however it is spelt (URL parsing turns decimal, octal, hexadecimal and full-width spellings into the usual one). Names are checked when they are called.
 */
export function literalTargetRefusal(url: string, allowPrivate: boolean): string | undefined {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined) return 'it is not an absolute URL';
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:') return 'only http and https are called';
  if (parsed.username !== '' || parsed.password !== '') return 'credentials do not belong into a URL; send them in a header';
  const address = parsed.hostname.replace(/^\[(.*)\]$/, '$1');
  if (!allowPrivate && isIP(address) !== 0 && isPrivateAddress(address)) {
    return 'private, loopback and link-local addresses are not called (RETRIGGER_ALLOW_PRIVATE_TARGETS)';
  }
  return undefined;
}
