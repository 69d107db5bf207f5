import { z } from 'zod';
import type { Principal } from '../kernel/service.ts';
import { type Condition, type ConditionContext, compileCondition } from './conditions.ts';
import { compilePrincipals, type PrincipalMatch, PrincipalsSchema } from './principals.ts';
import { arnGlob, glob, LITERALS } from './wildcards.ts';

const Texts = z.union([z.string(), z.array(z.string())]).transform((value) => [value].flat());
const Value = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const Values = z.union([Value, z.array(Value)]).transform((value) => [value].flat());

const StatementSchema = z.strictObject({
  Sid: z.string().optional(),
  Effect: z.enum(['Allow', 'Deny']),
  Principal: PrincipalsSchema.optional(),
  NotPrincipal: PrincipalsSchema.optional(),
  Action: Texts.optional(),
  NotAction: Texts.optional(),
  Resource: Texts.optional(),
  NotResource: Texts.optional(),
  Condition: z.record(z.string(), z.record(z.string(), Values)).default({}),
});
type RawStatement = z.infer<typeof StatementSchema>;

const DocumentSchema = z.strictObject({
  Version: z.enum(['2012-10-17', '2008-10-17']).optional(),
  Id: z.string().optional(),
  Statement: z.union([StatementSchema, z.array(StatementSchema)]).transform((value) => [value].flat()),
});

export interface Statement {
  sid: string | undefined;
  effect: 'Allow' | 'Deny';
  /** As written: `s3:Get*`. Empty when the statement has a NotAction. */
  actions: readonly { pattern: string; matches: (action: string) => boolean }[];
  /** Resource policies only. */
  principal: ((principal: Principal) => PrincipalMatch) | undefined;
  applies(action: string, resource: string, context: ConditionContext): boolean;
}

/** `trust`: who may assume a role; its statements name principals and no resource, because the resource is the role. */
export type PolicyKind = 'identity' | 'resource' | 'trust';

/**
 * Reads a policy document. `kind` decides whether its statements name principals.
 * @throws Error naming the policy and the part that is wrong or not served
 */
export function readDocument(policy: string, document: unknown, kind: PolicyKind): Statement[] {
  const parsed = DocumentSchema.safeParse(document);
  if (!parsed.success) throw new Error(`policy ${policy}: ${z.prettifyError(parsed.error)}`);
  if (JSON.stringify(document).replace(LITERALS, '').includes('${'))
    throw new Error(`policy ${policy}: policy variables are not served`);
  return parsed.data.Statement.map((statement, i) => {
    try {
      return compile(statement, kind);
    } catch (error) {
      throw new Error(`policy ${policy}, statement ${statement.Sid ?? i}: ${(error as Error).message}`);
    }
  });
}

function compile(raw: RawStatement, kind: PolicyKind): Statement {
  exactlyOne(raw, 'Action', 'NotAction');
  if (kind !== 'trust') exactlyOne(raw, 'Resource', 'NotResource');
  else if (raw.Resource ?? raw.NotResource) throw new Error('a trust policy names no resource');
  if (kind !== 'identity') exactlyOne(raw, 'Principal', 'NotPrincipal');
  else if (raw.Principal ?? raw.NotPrincipal) throw new Error('an identity policy names no principal');

  // Names of services and actions are case-insensitive, resources are case-sensitive.
  const actions = (raw.Action ?? []).map((pattern) => ({ pattern, matches: glob(pattern, 'i') }));
  const notActions = raw.NotAction?.map((pattern) => glob(pattern, 'i'));
  const resources = (raw.Resource ?? raw.NotResource ?? ['*']).map(arnGlob);
  const listed = raw.NotResource === undefined;
  const conditions: Condition[] = Object.entries(raw.Condition).flatMap(([operator, keys]) =>
    Object.entries(keys).map(([key, values]) => compileCondition(operator, key, values)),
  );
  const principals = raw.Principal ?? raw.NotPrincipal;
  return {
    sid: raw.Sid,
    effect: raw.Effect,
    actions,
    principal: principals && compilePrincipals(principals, raw.NotPrincipal !== undefined),
    applies: (action, resource, context) =>
      (notActions ? !notActions.some((matches) => matches(action)) : actions.some(({ matches }) => matches(action))) &&
      resources.some((matches) => matches(resource)) === listed &&
      conditions.every((holds) => holds(context)),
  };
}

function exactlyOne<Key extends keyof RawStatement>(raw: RawStatement, one: Key, other: Key): void {
  if ((raw[one] === undefined) === (raw[other] === undefined)) throw new Error(`needs either ${one} or ${other}`);
}
