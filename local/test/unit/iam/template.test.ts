import { expect, test } from 'vitest';
import { readRoles } from '../../../services/iam/template.ts';
import { parseTemplate } from '../../../template/assembly.ts';
import type { LoadedTemplate, Resource } from '../../../template/load.ts';
import { PropertyReader } from '../../../template/read.ts';

const DOCUMENT = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: '*' }] };
const BASIC = 'arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole';

function template(...resources: Resource[]): LoadedTemplate {
  return {
    stack: 'Dropreel',
    raw: parseTemplate({ Resources: {} }),
    resources,
    outputs: {},
    assets: { file: () => '', image: () => ({ directory: '', dockerFile: '' }) },
    ofType: (type) => resources.filter((it) => it.type === type),
  };
}

const role = (properties: Record<string, unknown>): Resource => ({
  logicalId: 'Role',
  type: 'AWS::IAM::Role',
  name: 'dropreel-role',
  ref: 'dropreel-role',
  attributes: { Arn: 'arn:aws:iam::123456789012:role/dropreel-role' },
  properties: { AssumeRolePolicyDocument: {}, ...properties },
});

test('a role has its own policies, managed ones and those attached to it', () => {
  const reader = new PropertyReader();
  const attached: Resource = {
    logicalId: 'Policy',
    type: 'AWS::IAM::Policy',
    name: 'policy',
    ref: 'policy',
    attributes: {},
    properties: { PolicyName: 'DefaultPolicy', PolicyDocument: DOCUMENT, Roles: ['dropreel-role', 'dropreel-other'] },
  };

  const roles = readRoles(
    template(
      role({ Policies: [{ PolicyName: 'handler', PolicyDocument: DOCUMENT }], ManagedPolicyArns: [BASIC] }),
      attached,
    ),
    reader,
  );

  expect(reader.problems).toEqual([]);
  expect(roles).toEqual([
    {
      arn: 'arn:aws:iam::123456789012:role/dropreel-role',
      trust: {},
      name: 'dropreel-role',
      policies: [
        { name: 'handler', document: DOCUMENT },
        {
          name: BASIC,
          document: {
            Version: '2012-10-17',
            Statement: [
              {
                Effect: 'Allow',
                Action: ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'],
                Resource: '*',
              },
            ],
          },
        },
        { name: 'DefaultPolicy', document: DOCUMENT },
      ],
    },
  ]);
});

test('an unsupported managed policy or property is reported', () => {
  const reader = new PropertyReader();
  readRoles(template(role({ ManagedPolicyArns: ['arn:aws:iam::aws:policy/AdministratorAccess'] })), reader);
  readRoles(template(role({ PermissionsBoundary: 'arn:aws:iam::aws:policy/ReadOnlyAccess' })), reader);
  expect(reader.problems).toEqual([
    'Role: the managed policy arn:aws:iam::aws:policy/AdministratorAccess is not served',
    'Role.PermissionsBoundary: this property of AWS::IAM::Role is not served',
  ]);
});
