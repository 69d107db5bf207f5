/**
 * Which addresses a webhook may be sent to: globally reachable unicast only. Everything in the special-purpose registries
 * is refused (https://www.iana.org/assignments/iana-ipv4-special-registry, …-ipv6-special-registry), including the clouds'
 * metadata addresses (169.254.169.254, fd00:ec2::254), and IPv6 forms that carry an IPv4 address are judged by it.
 */
const REFUSED_V4: readonly [string, number][] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];

export function isPublicAddress(address: string): boolean {
  const v4 = parseV4(address);
  if (v4 !== null) return isPublicV4(v4);
  const v6 = parseV6(address);
  return v6 !== null && isPublicV6(v6);
}

export function isLoopbackAddress(address: string): boolean {
  const v4 = parseV4(address);
  if (v4 !== null) return v4 >>> 24 === 127;
  const v6 = parseV6(address);
  if (v6 === null) return false;
  return v6.slice(0, 7).every((group) => group === 0) && v6[7] === 1;
}

function isPublicV4(address: number): boolean {
  return !REFUSED_V4.some(([network, bits]) => {
    const mask = bits === 0 ? 0 : (~0 << (32 - bits)) >>> 0;
    return (address & mask) >>> 0 === parseV4(network);
  });
}

function isPublicV6(groups: readonly number[]): boolean {
  const [a = 0, b = 0, c = 0] = groups;
  const embedded = (index: number) => (((groups[index] ?? 0) << 16) | (groups[index + 1] ?? 0)) >>> 0;
  // NAT64 (64:ff9b::/96) and 6to4 (2002::/16) lead to the IPv4 address that they carry.
  if (a === 0x64 && b === 0xff9b && groups.slice(2, 6).every((group) => group === 0)) return isPublicV4(embedded(6));
  if (a === 0x2002) return isPublicV4(embedded(1));
  // Only 2000::/3 is global unicast: this refuses ::, ::1, ::ffff:0:0/96, fc00::/7, fe80::/10, ff00::/8 and the rest.
  if (a >> 13 !== 1) return false;
  // 2001::/23 (Teredo, ORCHID and others), documentation, and the local-use part of RFC 9637.
  if (a === 0x2001 && (b < 0x200 || b === 0xdb8)) return false;
  return !(a === 0x3fff && (b & 0xf000) === 0) && !(a === 0x2620 && b === 0x4f && c === 0x8000);
}

/** Dotted decimal with four parts only: other notations (`0x7f.1`, `2130706433`) are not accepted as addresses. */
function parseV4(text: string): number | null {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9][0-9]{0,2})$/.test(part) && Number(part) <= 255))
    return null;
  return parts.reduce((sum, part) => sum * 256 + Number(part), 0);
}

/** Eight 16-bit groups. A zone (`%eth0`) makes the address invalid. */
function parseV6(text: string): number[] | null {
  if (!/^[0-9a-fA-F:.]+$/.test(text) || !text.includes(':')) return null;
  const dotted = /^(.*:)([0-9.]+)$/.exec(text);
  let hex = text;
  if (dotted?.[2]?.includes('.')) {
    const v4 = parseV4(dotted[2]);
    if (v4 === null) return null;
    hex = `${dotted[1]}${(v4 >>> 16).toString(16)}:${(v4 & 0xffff).toString(16)}`;
  }
  const halves = hex.split('::');
  if (halves.length > 2) return null;
  const [left = [], right] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const gap = right ? 8 - left.length - right.length : 0;
  if (right && gap < 1) return null;
  const groups = [...left, ...Array<string>(gap).fill('0'), ...(right ?? [])];
  if (groups.length !== 8 || !groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return null;
  return groups.map((group) => Number.parseInt(group, 16));
}
