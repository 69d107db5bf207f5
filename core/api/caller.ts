import { SCOPES } from '../contracts/api.ts';
import { CreatorId } from '../contracts/ids.ts';
import { ApiError } from './problem.ts';

/** Who asks, as the authorizer verified it. */
export interface Caller {
  creatorId: string;
  operator: boolean;
}

/**
 * Reads the claims of a verified access token. The creator is the claim `custom:creator`, else `username` (a person of a
 * Cognito user pool), else `sub` (a machine: its client id). The scope claim is one string, separated by spaces.
 */
export function callerOf(claims: Readonly<Record<string, unknown>>): Caller {
  const scopes = typeof claims.scope === 'string' ? claims.scope.split(' ') : [];
  const operator = scopes.includes(SCOPES.operator);
  if (!operator && !scopes.includes(SCOPES.creator)) {
    throw new ApiError('forbidden', `The token needs the scope ${SCOPES.creator} or ${SCOPES.operator}.`);
  }
  const creatorId = CreatorId.safeParse(claims['custom:creator'] ?? claims.username ?? claims.sub);
  if (!creatorId.success) {
    throw new ApiError('forbidden', "The token's custom:creator, username or sub is not a creator id.");
  }
  return { creatorId: creatorId.data, operator };
}

/** Whether what belongs to `owner` exists as far as the caller is concerned. */
export function maySee(caller: Caller, owner: string): boolean {
  return caller.operator || caller.creatorId === owner;
}

/** For whom a request acts that may name a creator. Naming another one is for operators. */
export function creatorFor(caller: Caller, requested: string | undefined): string {
  if (requested === undefined || requested === caller.creatorId) return caller.creatorId;
  if (!caller.operator)
    throw new ApiError('forbidden', `Acting for another creator needs the scope ${SCOPES.operator}.`);
  return requested;
}

export function requireOperator(caller: Caller): void {
  if (!caller.operator) throw new ApiError('forbidden', `This needs the scope ${SCOPES.operator}.`);
}
