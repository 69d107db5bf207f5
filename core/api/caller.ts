import { SCOPES } from '../contracts/http/system.ts';
import { creatorIdFor } from '../contracts/ids.ts';
import { ApiError } from './problem.ts';

/** The caller, as the authorizer verified it. */
export interface Caller {
  creatorId: string;
  operator: boolean;
}

/** Which claims of a token identify the caller and its permissions; each list is searched in its order. */
export interface ClaimSettings {
  /** Claims whose values are scopes, roles or groups: all of them count. */
  scopeClaims: readonly string[];
  /** The first of these that the token has identifies the creator. */
  creatorClaims: readonly string[];
  /** Values that stand for the creator's scope, and for the operator's. */
  creatorScopes: readonly string[];
  operatorScopes: readonly string[];
}

/**
 * Reads the claims of a verified access token, as API Gateway passes them.
 * @throws ApiError forbidden
 */
export async function callerOf(claims: Readonly<Record<string, unknown>>, settings: ClaimSettings): Promise<Caller> {
  const granted = settings.scopeClaims.flatMap((claim) => valuesOf(claims[claim]));
  const has = (scopes: readonly string[]) => scopes.some((scope) => granted.includes(scope));
  const operator = has(settings.operatorScopes);
  if (!operator && !has(settings.creatorScopes)) {
    throw new ApiError('forbidden', `The token needs the scope ${SCOPES.creator} or ${SCOPES.operator}.`);
  }
  const subject = settings.creatorClaims.map((claim) => claims[claim]).find((value) => value !== undefined);
  if (typeof subject !== 'string' || subject === '') {
    throw new ApiError('forbidden', `The token names no creator: it has no ${settings.creatorClaims.join(', ')}.`);
  }
  return { creatorId: await creatorIdFor(subject), operator };
}

/**
 * A claim with several values: text with spaces (RFC 8693's `scope`, Entra's `scp`), a list (Okta's `scp`, Entra's `roles`), or a
 * list as API Gateway's HTTP APIs write it, `[a b]`.
 * https://github.com/aws-solutions-library-samples/guidance-for-claude-code-with-amazon-bedrock/issues/802
 */
function valuesOf(claim: unknown): string[] {
  if (Array.isArray(claim)) return claim.filter((value) => typeof value === 'string');
  if (typeof claim !== 'string') return [];
  const list = claim.startsWith('[') && claim.endsWith(']') ? claim.slice(1, -1) : claim;
  return list.split(' ').filter((value) => value !== '');
}

/** Whether the caller may know that what belongs to `owner` exists. */
export function maySee(caller: Caller, owner: string): boolean {
  return caller.operator || caller.creatorId === owner;
}

/** The creator that a request acts for. Only operators may name another creator than themselves. */
export function creatorFor(caller: Caller, requested: string | undefined): string {
  if (requested === undefined || requested === caller.creatorId) return caller.creatorId;
  if (!caller.operator)
    throw new ApiError('forbidden', `Acting for another creator needs the scope ${SCOPES.operator}.`);
  return requested;
}

export function requireOperator(caller: Caller): void {
  if (!caller.operator) throw new ApiError('forbidden', `This needs the scope ${SCOPES.operator}.`);
}
