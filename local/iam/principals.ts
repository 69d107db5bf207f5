import { z } from 'zod';
import { ACCOUNT_ID } from '../kernel/account.ts';
import type { Principal } from '../kernel/service.ts';

const Names = z.union([z.string(), z.array(z.string())]).transform((value) => [value].flat());

export const PrincipalsSchema = z.union([
  z.literal('*').transform(() => ({ AWS: ['*'] })),
  z.strictObject({ AWS: Names.optional(), Service: Names.optional() }),
]);
export type Principals = z.infer<typeof PrincipalsSchema>;

/** `account`: the account is named, which delegates the decision to its identity policies and grants nothing by itself. */
export type PrincipalMatch = 'named' | 'account' | 'none';

const ACCOUNT = new Set([ACCOUNT_ID, `arn:aws:iam::${ACCOUNT_ID}:root`]);

/** @param others NotPrincipal: every principal except those listed */
export function compilePrincipals(principals: Principals, others: boolean): (principal: Principal) => PrincipalMatch {
  const aws = new Set<string>('AWS' in principals ? principals.AWS : []);
  const services = new Set<string>('Service' in principals ? principals.Service : []);
  const match = (principal: Principal): PrincipalMatch => {
    if (aws.has('*')) return 'named';
    if (principal.type === 'service') return services.has(principal.service) ? 'named' : 'none';
    if (principal.type !== 'role') return 'none';
    if (aws.has(principal.arn)) return 'named';
    return [...ACCOUNT].some((name) => aws.has(name)) ? 'account' : 'none';
  };
  if (!others) return match;
  return (principal) => (match(principal) === 'none' ? 'named' : 'none');
}
