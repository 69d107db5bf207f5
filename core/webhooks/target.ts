import { isLoopbackAddress, isPublicAddress } from './addresses.ts';

export interface TargetRules {
  /** For development and tests: plain HTTP to loopback addresses. */
  allowLoopback: boolean;
}

/** Why a URL is no target for webhooks, judged before its name is resolved; null when it may be one. */
export function refuseUrl(url: string, rules: TargetRules): string | null {
  if (!URL.canParse(url)) return 'It is not a URL.';
  const { protocol, hostname, username, password, hash } = new URL(url);
  if (username || password) return 'It must not contain a user name or password.';
  if (hash) return 'It must not contain a fragment.';
  const literal = hostname.replace(/^\[|\]$/g, '');
  const loopback = hostname === 'localhost' || isLoopbackAddress(literal);
  if (loopback && rules.allowLoopback && (protocol === 'http:' || protocol === 'https:')) return null;
  if (protocol !== 'https:') return 'It must be an https URL.';
  if (loopback || hostname.endsWith('.localhost') || hostname.endsWith('.internal') || hostname.endsWith('.local')) {
    return 'It must be a public host.';
  }
  const isLiteral = /^[0-9.]+$/.test(literal) || literal.includes(':');
  return isLiteral && !isPublicAddress(literal) ? 'It must be a public address.' : null;
}

/** Whether a connection may be made to an address that a target's name resolved to. */
export function mayConnect(address: string, rules: TargetRules): boolean {
  return isPublicAddress(address) || (rules.allowLoopback && isLoopbackAddress(address));
}
