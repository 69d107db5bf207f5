import { ACCOUNT_ID, REGION } from '../kernel/account.ts';
import type { AccessCheck, Principal } from '../kernel/service.ts';
import type { ConditionContext } from './conditions.ts';
import { readDocument, type Statement } from './document.ts';

export interface RolePolicies {
  arn: string;
  name: string;
  /** Its trust policy: who may assume the role. */
  trust?: unknown;
  policies: { name: string; document: unknown }[];
}

export interface Decision {
  allowed: boolean;
  /** The reason for a denial, in AWS's wording; empty when allowed. */
  reason: string;
}

/** An action that a role's policy allows. */
export interface Grant {
  roleArn: string;
  policy: string;
  sid?: string;
  /** Index of the statement in the policy, from 0. */
  statement: number;
  /** As written: `s3:GetObject`, `sqs:*`. */
  action: string;
  /** Whether the grant has allowed a call. */
  used: boolean;
}

export interface Policies {
  /** @throws Error when the resource's policy is not served */
  decide(principal: Principal, check: AccessCheck): Decision;
  /**
   * Whether the role exists and its trust policy lets the principal assume it.
   * @throws Error when that policy is not served
   */
  trusts(roleArn: string, principal: Principal): boolean;
  /** The actions of roles that were allowed, each once. */
  usedActions(): { roleArn: string; action: string; resource: string }[];
  /** The actions that roles' policies allow. */
  grants(): Grant[];
}

interface RoleStatement {
  policy: string;
  index: number;
  statement: Statement;
  used: Set<string>;
}

/**
 * Decides as AWS does within one account: an explicit deny wins; a role needs an allow of its own or by the resource's
 * policy; services and anonymous callers need one by the resource's policy. The developer has all permissions.
 * @param options.resourcePolicies checked now, so that unserved parts are errors at boot
 * @throws Error naming the policy that is wrong or has a part that is not served
 */
export function createPolicies(options: {
  roles: readonly RolePolicies[];
  resourcePolicies?: readonly { name: string; document: unknown }[];
}): Policies {
  const roles = new Map(
    options.roles.map(({ arn, name, trust, policies }) => {
      const statements = policies.flatMap((policy) =>
        readDocument(`${policy.name} of role ${name}`, policy.document, 'identity').map(
          (statement, index): RoleStatement => ({ policy: policy.name, index, statement, used: new Set() }),
        ),
      );
      return [arn, { name, trust, statements }] as const;
    }),
  );
  const read = new WeakMap<object, Statement[]>();
  const resourceStatements = (name: string, document: unknown): Statement[] => {
    if (typeof document !== 'object' || document === null) return [];
    const known = read.get(document);
    if (known) return known;
    const statements = readDocument(name, document, 'resource');
    read.set(document, statements);
    return statements;
  };
  const sessions = new Map<string, Statement[]>();
  /** Undefined for a session without a policy, which has all permissions of the role. */
  const sessionStatements = (policy: string | undefined): Statement[] | undefined => {
    if (policy === undefined) return undefined;
    const statements = sessions.get(policy) ?? readDocument('of the session', JSON.parse(policy), 'identity');
    sessions.set(policy, statements);
    return statements;
  };
  for (const { name, document } of options.resourcePolicies ?? []) resourceStatements(name, document);
  const used = new Map<string, { roleArn: string; action: string; resource: string }>();

  function decide(principal: Principal, check: AccessCheck): Decision {
    if (principal.type === 'developer') return ALLOWED;
    const { action, resource } = check;
    const context = contextOf(principal, check);
    const own = (principal.type === 'role' ? (roles.get(principal.arn)?.statements ?? []) : []).filter(
      ({ statement }) => statement.applies(action, resource, context),
    );
    const ofResource = resourceStatements(`of ${resource}`, check.resourcePolicy).filter((statement) =>
      statement.applies(action, resource, context),
    );
    const denied = (why: string): Decision => ({
      allowed: false,
      reason: `User: ${nameOf(principal)} is not authorized to perform: ${action} on resource: "${resource}" ${why}`,
    });
    if (own.some(({ statement }) => statement.effect === 'Deny')) {
      return denied('with an explicit deny in an identity-based policy');
    }
    if (ofResource.some(({ effect, principal: match }) => effect === 'Deny' && match?.(principal) !== 'none')) {
      return denied('with an explicit deny in a resource-based policy');
    }
    const granted = ofResource.some(
      ({ effect, principal: match }) => effect === 'Allow' && match?.(principal) === 'named',
    );
    const session = principal.type === 'role' ? sessionStatements(principal.session?.policy) : undefined;
    const within = session?.filter((statement) => statement.applies(action, resource, context));
    if (within?.some(({ effect }) => effect === 'Deny')) return denied('with an explicit deny in a session policy');
    if (within?.length === 0) return denied(`because no session policy allows the ${action} action`);
    if (own.length === 0 && !granted) {
      const kind = principal.type === 'role' ? 'identity' : 'resource';
      return denied(`because no ${kind}-based policy allows the ${action} action`);
    }
    if (principal.type === 'role') note(principal.arn, action, resource, own);
    return ALLOWED;
  }

  function note(roleArn: string, action: string, resource: string, by: RoleStatement[]): void {
    used.set(`${roleArn} ${action} ${resource}`, { roleArn, action, resource });
    for (const { statement, used: patterns } of by) {
      for (const { pattern, matches } of statement.actions) if (matches(action)) patterns.add(pattern);
    }
  }

  function trusts(roleArn: string, principal: Principal): boolean {
    const role = roles.get(roleArn);
    if (!role) return false;
    const context = contextOf(principal, { action: ASSUME_ROLE, resource: roleArn });
    const applying = readDocument(`AssumeRolePolicyDocument of role ${role.name}`, role.trust, 'trust').filter(
      (statement) => statement.principal?.(principal) !== 'none' && statement.applies(ASSUME_ROLE, roleArn, context),
    );
    return applying.length > 0 && applying.every(({ effect }) => effect === 'Allow');
  }

  return {
    decide,
    trusts,
    usedActions: () => [...used.values()],
    grants: () =>
      [...roles].flatMap(([roleArn, { statements }]) =>
        statements
          .filter(({ statement }) => statement.effect === 'Allow')
          .flatMap(({ policy, index, statement: { sid, actions }, used: patterns }) =>
            actions.map(
              ({ pattern: action }): Grant => ({
                roleArn,
                policy,
                ...(sid !== undefined && { sid }),
                statement: index,
                action,
                used: patterns.has(action),
              }),
            ),
          ),
      ),
  };
}

const ASSUME_ROLE = 'sts:AssumeRole';

const ALLOWED: Decision = { allowed: true, reason: '' };

/** Condition keys that every request has here. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html */
function contextOf(principal: Principal, { context = {} }: AccessCheck): ConditionContext {
  const keys: Record<string, string | readonly string[]> = {
    // Loopback counts as TLS.
    'aws:SecureTransport': 'true',
    's3:TlsVersion': '1.3',
    'aws:RequestedRegion': REGION,
    'aws:PrincipalIsAWSService': String(principal.type === 'service'),
    ...(principal.type === 'role' && {
      'aws:PrincipalArn': principal.arn,
      'aws:PrincipalAccount': ACCOUNT_ID,
      'aws:PrincipalType': 'AssumedRole',
    }),
    ...(principal.type === 'service' && {
      'aws:PrincipalServiceName': principal.service,
      'aws:SourceAccount': ACCOUNT_ID,
      ...(principal.sourceArn !== undefined && { 'aws:SourceArn': principal.sourceArn }),
    }),
    ...context,
  };
  return new Map(Object.entries(keys).map(([key, value]) => [key.toLowerCase(), value]));
}

function nameOf(principal: Principal): string {
  if (principal.type === 'service') return principal.service;
  if (principal.type !== 'role') return principal.type;
  const name = principal.arn.slice(principal.arn.lastIndexOf('/') + 1);
  return `arn:aws:sts::${ACCOUNT_ID}:assumed-role/${name}/${principal.session?.name ?? 'session'}`;
}
