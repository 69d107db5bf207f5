import { z } from 'zod';
import type { RolePolicies } from '../../iam/policies.ts';
import type { LoadedTemplate } from '../../template/load.ts';
import { Inert, type PropertyReader } from '../../template/read.ts';
import { MANAGED_POLICIES } from './managed.ts';

const PolicyDocument = z.unknown();

const Role = z.strictObject({
  RoleName: z.string().optional(),
  Path: z.string().optional(),
  // Evaluated for sts:AssumeRole only; functions and jobs get the credentials of their roles from the cloud itself.
  AssumeRolePolicyDocument: z.unknown(),
  ManagedPolicyArns: z.array(z.string()).default([]),
  Policies: z.array(z.strictObject({ PolicyName: z.string(), PolicyDocument })).default([]),
  Description: Inert,
  MaxSessionDuration: Inert,
  Tags: Inert,
});

const Attached = {
  PolicyDocument,
  Roles: z.array(z.string()).default([]),
  Users: z.array(z.never('users are not served')).optional(),
  Groups: z.array(z.never('groups are not served')).optional(),
};
const Policy = z.strictObject({ PolicyName: z.string(), ...Attached });
const ManagedPolicy = z.strictObject({
  ManagedPolicyName: z.string().optional(),
  Path: z.string().optional(),
  Description: Inert,
  ...Attached,
});

/** The template's roles with all attached policies. Problems are recorded in the reader. */
export function readRoles(template: LoadedTemplate, reader: PropertyReader): RolePolicies[] {
  const attached = new Map<string, { name: string; document: unknown }[]>();
  const attach = (role: string, name: string, document: unknown) =>
    attached.set(role, [...(attached.get(role) ?? []), { name, document }]);
  const managed = new Map<string, { name: string; document: unknown }>();

  for (const resource of template.ofType('AWS::IAM::Policy')) {
    const policy = reader.read(resource, Policy);
    for (const role of policy?.Roles ?? []) attach(role, policy?.PolicyName ?? '', policy?.PolicyDocument);
  }
  for (const resource of template.ofType('AWS::IAM::ManagedPolicy')) {
    const policy = reader.read(resource, ManagedPolicy);
    if (!policy) continue;
    managed.set(resource.ref, { name: resource.name, document: policy.PolicyDocument });
    for (const role of policy.Roles) attach(role, resource.name, policy.PolicyDocument);
  }
  return template.ofType('AWS::IAM::Role').flatMap((resource) => {
    const role = reader.read(resource, Role);
    if (!role) return [];
    const policies = role.Policies.map((policy) => ({ name: policy.PolicyName, document: policy.PolicyDocument }));
    for (const arn of role.ManagedPolicyArns) {
      const own = managed.get(arn);
      if (own) policies.push(own);
      else if (arn in MANAGED_POLICIES) policies.push({ name: arn, document: MANAGED_POLICIES[arn] });
      else reader.refuse(resource, `the managed policy ${arn} is not served`);
    }
    policies.push(...(attached.get(resource.name) ?? []));
    return [
      { arn: resource.attributes.Arn ?? '', name: resource.name, trust: role.AssumeRolePolicyDocument, policies },
    ];
  });
}
