import type { Refused } from '../contracts/refused.ts';
import { isLoopbackAddress, isPublicAddress } from './addresses.ts';

export interface TargetRules {
  /** For development and tests: plain HTTP to loopback addresses. */
  allowLoopback: boolean;
}

/** Whether a URL may be a target of webhooks, judged before its name is resolved. */
export function mayBeTarget(url: string, rules: TargetRules): 'allowed' | Refused {
  if (!URL.canParse(url)) return { refused: 'It is not a URL.' };
  const { protocol, hostname, username, password, hash } = new URL(url);
  if (username || password) return { refused: 'It must not contain a user name or password.' };
  if (hash) return { refused: 'It must not contain a fragment.' };
  const literal = hostname.replace(/^\[|\]$/g, '');
  const loopback = hostname === 'localhost' || isLoopbackAddress(literal);
  if (loopback && rules.allowLoopback && (protocol === 'http:' || protocol === 'https:')) return 'allowed';
  if (protocol !== 'https:') return { refused: 'It must be an https URL.' };
  if (loopback || hostname.endsWith('.localhost') || hostname.endsWith('.internal') || hostname.endsWith('.local')) {
    return { refused: 'It must be a public host.' };
  }
  const isLiteral = /^[0-9.]+$/.test(literal) || literal.includes(':');
  return isLiteral && !isPublicAddress(literal) ? { refused: 'It must be a public address.' } : 'allowed';
}

/**
 * Whether a connection may be made to an address that a target's name resolved to. Where loopback is allowed, `localhost` resolves
 * to it and no other name may: a foreign name must not reach other services on this machine.
 */
export function mayConnect(hostname: string, address: string, rules: TargetRules): boolean {
  if (hostname === 'localhost') return rules.allowLoopback && isLoopbackAddress(address);
  return isPublicAddress(address);
}
