import { ACCOUNT_ID, REGION } from '../account.ts';
import type { AccessCheck, Principal } from '../service.ts';
import type { ConditionContext } from './conditions.ts';
import { readDocument, type Statement } from './document.ts';

export interface RolePolicies {
  arn: string;
  name: string;
  policies: { name: string; document: unknown }[];
}

export interface Decision {
  allowed: boolean;
  /** Why not, in AWS's words; empty when allowed. */
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
  /** Whether it has allowed a call. */
  used: boolean;
}

export interface Policies {
  /** @throws Error when the resource's policy is not served */
  decide(principal: Principal, check: AccessCheck): Decision;
  /** What roles did and were allowed to, each once. */
  usedActions(): { roleArn: string; action: string; resource: string }[];
  /** What roles are allowed to do. */
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
 * policy; services and anonymous callers need one by the resource's policy. The developer may do everything.
 * @param options.resourcePolicies checked now, so that what is not served is told at boot
 * @throws Error naming the policy that is wrong or has a part that is not served
 */
export function createPolicies(options: {
  roles: readonly RolePolicies[];
  resourcePolicies?: readonly { name: string; document: unknown }[];
}): Policies {
  const roles = new Map(
    options.roles.map(({ arn, name, policies }) => {
      const statements = policies.flatMap((policy) =>
        readDocument(`${policy.name} of role ${name}`, policy.document, 'identity').map(
          (statement, index): RoleStatement => ({ policy: policy.name, index, statement, used: new Set() }),
        ),
      );
      return [arn, { name, statements }] as const;
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

  return {
    decide,
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

const ALLOWED: Decision = { allowed: true, reason: '' };

/** Condition keys that every request has here. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html */
function contextOf(principal: Principal, { context = {} }: AccessCheck): ConditionContext {
  const keys: Record<string, string> = {
    // Loopback is as good as TLS.
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
  return `arn:aws:sts::${ACCOUNT_ID}:assumed-role/${name}/session`;
}
