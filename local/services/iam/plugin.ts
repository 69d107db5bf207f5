import type { RolePolicies } from '../../iam/policies.ts';
import { ACCOUNT_ID } from '../../kernel/account.ts';
import type { ServicePlugin } from '../../plugin.ts';
import { named } from '../../template/identity.ts';
import { readRoles } from './template.ts';

/** Roles and their policies; `boot/configuration.ts` makes of them what decides about each call. */
export const iam: ServicePlugin<RolePolicies[]> = {
  name: 'iam',
  types: {
    'AWS::IAM::Role': {
      identity: named('RoleName', 64, (name, { property }) => ({
        attributes: { Arn: `arn:aws:iam::${ACCOUNT_ID}:role${property('Path') ?? '/'}${name}`, RoleId: `AROA${name}` },
      })),
      createOnly: ['Path', 'RoleName'],
      namedBy: 'RoleName',
    },
    'AWS::IAM::Policy': {},
    'AWS::IAM::InstanceProfile': {
      createOnly: ['InstanceProfileName', 'Path'],
      inert: 'A host of GPU workers cannot join its cluster: jobs wait',
    },
    'AWS::IAM::ManagedPolicy': {
      identity: named('ManagedPolicyName', 128, (name) => {
        const own = `arn:aws:iam::${ACCOUNT_ID}:policy/${name}`;
        return { ref: own, attributes: { PolicyArn: own } };
      }),
      createOnly: ['Description', 'ManagedPolicyName', 'Path'],
    },
  },
  read: readRoles,
};
