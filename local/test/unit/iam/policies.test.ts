import { expect, test } from 'vitest';
import { createPolicies } from '../../../iam/policies.ts';
import type { AccessCheck, Principal } from '../../../kernel/service.ts';

const ROLE_ARN = 'arn:aws:iam::123456789012:role/worker';
const ROLE: Principal = { type: 'role', arn: ROLE_ARN };
const EVENTS: Principal = {
  type: 'service',
  service: 'events.amazonaws.com',
  sourceArn: 'arn:aws:events:us-east-1:123456789012:rule/media/progress',
};
const OBJECT = 'arn:aws:s3:::media/tmp/job-1/master.m3u8';

function policies(...statements: object[]) {
  return createPolicies({
    roles: [{ arn: ROLE_ARN, name: 'worker', policies: [{ name: 'handler', document: { Statement: statements } }] }],
  });
}

const allow = (action: string | string[], resource: string | string[], condition?: object) => ({
  Effect: 'Allow',
  Action: action,
  Resource: resource,
  ...(condition && { Condition: condition }),
});

const may = (statement: object, check: AccessCheck, principal = ROLE) =>
  policies(statement).decide(principal, check).allowed;

test.each([
  ['the action itself', allow('s3:PutObject', OBJECT), true],
  ['an action in another case', allow('S3:putobject', OBJECT), true],
  ['a pattern with a star', allow('s3:Put*', 'arn:aws:s3:::media/tmp/*'), true],
  ['a pattern with a question mark', allow('s3:PutObjec?', 'arn:aws:s3:::media/tmp/job-?/master.m3u8'), true],
  ['one of several', allow(['s3:GetObject', 's3:PutObject'], ['arn:aws:s3:::other/*', 'arn:aws:s3:::media/*']), true],
  ['everything', allow('*', '*'), true],
  ['a shorter name', allow('s3:Put', OBJECT), false],
  ['a question mark without a character to match', allow('s3:PutObject?', OBJECT), false],
  ['a resource in another case', allow('s3:PutObject', OBJECT.toUpperCase()), false],
  ['the bucket without its objects', allow('s3:PutObject', 'arn:aws:s3:::media'), false],
  ['a dot that would match any character', allow('s3:PutObject', OBJECT.replace('-1', '.1')), false],
  ['a star that would have to reach over parts of the ARN', allow('s3:PutObject', 'arn:aws:s3*:::media/*:x'), false],
  ['NotAction of another action', { Effect: 'Allow', NotAction: 's3:GetObject', Resource: '*' }, true],
  ['NotAction of this action', { Effect: 'Allow', NotAction: 's3:Put*', Resource: '*' }, false],
  ['NotResource of another', { Effect: 'Allow', Action: '*', NotResource: 'arn:aws:s3:::media/private/*' }, true],
  ['NotResource of this', { Effect: 'Allow', Action: '*', NotResource: 'arn:aws:s3:::media/tmp/*' }, false],
])('an allow of %s', (_, statement, expected) => {
  expect(may(statement, { action: 's3:PutObject', resource: OBJECT })).toBe(expected);
});

test.each([
  [{ StringEquals: { 's3:prefix': 'tmp/a' } }, 'tmp/a', true],
  [{ StringEquals: { 'S3:Prefix': ['x', 'tmp/a'] } }, 'tmp/a', true],
  [{ StringEquals: { 's3:prefix': 'tmp/*' } }, 'tmp/a', false],
  [{ StringEquals: { 's3:prefix': 'tmp/a' } }, undefined, false],
  [{ StringEqualsIfExists: { 's3:prefix': 'tmp/a' } }, undefined, true],
  [{ StringEqualsIfExists: { 's3:prefix': 'tmp/a' } }, 'tmp/b', false],
  [{ StringEqualsIgnoreCase: { 's3:prefix': 'TMP/A' } }, 'tmp/a', true],
  [{ StringLike: { 's3:prefix': 'tmp/*' } }, 'tmp/a/b', true],
  [{ StringLike: { 's3:prefix': 'tmp/*' } }, 'private/a', false],
  [{ StringLike: { 's3:prefix': 'tmp/*' } }, undefined, false],
  [{ StringNotEquals: { 's3:prefix': ['tmp/a', 'tmp/b'] } }, 'tmp/b', false],
  [{ StringNotEquals: { 's3:prefix': ['tmp/a', 'tmp/b'] } }, 'tmp/c', true],
  [{ StringNotEquals: { 's3:prefix': 'tmp/a' } }, undefined, true],
  [{ StringNotLike: { 's3:prefix': 'tmp/*' } }, 'tmp/a', false],
  [{ 'ForAnyValue:StringLike': { 's3:prefix': 'tmp/*' } }, 'tmp/a', true],
  [{ 'ForAnyValue:StringLike': { 's3:prefix': 'tmp/*' } }, undefined, false],
  [{ 'ForAnyValue:StringNotLike': { 's3:prefix': 'tmp/*' } }, undefined, false],
  [{ 'ForAllValues:StringLike': { 's3:prefix': 'tmp/*' } }, undefined, true],
  [{ 'ForAllValues:StringLike': { 's3:prefix': 'tmp/*' } }, 'private/a', false],
  [{ Null: { 's3:prefix': 'true' } }, undefined, true],
  [{ Null: { 's3:prefix': 'true' } }, 'tmp/a', false],
  [{ Null: { 's3:prefix': false } }, 'tmp/a', true],
  [{ NumericLessThan: { 's3:prefix': 100 } }, '99', true],
  [{ NumericLessThan: { 's3:prefix': 100 } }, '100', false],
  [{ NumericLessThanEquals: { 's3:prefix': '100' } }, '100', true],
  [{ NumericGreaterThan: { 's3:prefix': 100 } }, '', false],
  [{ NumericLessThan: { 's3:prefix': 100 } }, '', false],
  [{ NumericNotEquals: { 's3:prefix': 100 } }, '101', true],
  [{ Bool: { 'aws:SecureTransport': 'true' } }, undefined, true],
  [{ Bool: { 'aws:SecureTransport': false } }, undefined, false],
  [{ ArnLike: { 's3:prefix': 'arn:aws:events:*:123456789012:rule/*' } }, 'arn:aws:events:a:123456789012:rule/x', true],
  [{ ArnEquals: { 's3:prefix': 'arn:aws:events:*:123456789012:rule/*' } }, 'arn:aws:events:a:b:12:rule/x', false],
  [{ ArnNotEquals: { 's3:prefix': 'arn:aws:sns:a:b:c' } }, 'arn:aws:sns:a:b:d', true],
  [{ StringEquals: { 's3:prefix': 'a', 's3:delimiter': '/' } }, 'a', false],
])('the condition %j with %j holds: %j', (condition, prefix, expected) => {
  const check = {
    action: 's3:ListBucket',
    resource: 'arn:aws:s3:::media',
    ...(prefix !== undefined && { context: { 's3:prefix': prefix } }),
  };
  expect(may(allow('s3:ListBucket', 'arn:aws:s3:::media', condition), check)).toBe(expected);
});

test.each([
  [
    allow('s3:GetObject', '*', { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } }),
    'policy handler of role worker, statement 0: the condition operator IpAddress is not served',
  ],
  [
    allow('s3:GetObject', '*', { toString: { a: 'b' } }),
    'policy handler of role worker, statement 0: the condition operator toString is not served',
  ],
  [
    allow('s3:GetObject', ['arn:aws:s3:::media/$', 'aws:username}'].join('{')),
    'policy handler of role worker: policy variables are not served',
  ],
  [
    { Effect: 'Allow', Action: 's3:GetObject' },
    'policy handler of role worker, statement 0: needs either Resource or NotResource',
  ],
  [
    { ...allow('s3:GetObject', '*'), Principal: '*' },
    'policy handler of role worker, statement 0: an identity policy names no principal',
  ],
])('an unsupported element is an error at load that names the policy: %#', (statement, message) => {
  expect(() => policies(statement)).toThrow(message);
});

test('an unsupported element of a resource policy is an error at load, too', () => {
  const document = {
    Statement: { ...allow('sqs:*', '*', { DateLessThan: { 'aws:CurrentTime': 'x' } }), Principal: '*' },
  };
  expect(() => createPolicies({ roles: [], resourcePolicies: [{ name: 'QueuePolicy', document }] })).toThrow(
    'policy QueuePolicy, statement 0: the condition operator DateLessThan is not served',
  );
});

test("a role without an allow gets AWS's text of an implicit deny", () => {
  expect(policies(allow('s3:GetObject', '*')).decide(ROLE, { action: 's3:PutObject', resource: OBJECT })).toEqual({
    allowed: false,
    reason:
      'User: arn:aws:sts::123456789012:assumed-role/worker/session is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::media/tmp/job-1/master.m3u8" because no identity-based policy allows the s3:PutObject action',
  });
});

test('an explicit deny of the role wins over an allow', () => {
  const both = policies(allow('*', '*'), { Effect: 'Deny', Action: 's3:Put*', Resource: '*' });
  expect(both.decide(ROLE, { action: 's3:PutObject', resource: OBJECT }).reason).toMatch(
    / with an explicit deny in an identity-based policy$/,
  );
});

const ofResource = (...statements: object[]) => ({ Version: '2012-10-17', Statement: statements });

test('an explicit deny by the resource wins over an allow of the role', () => {
  const resourcePolicy = ofResource({
    Effect: 'Deny',
    Principal: '*',
    Action: 's3:*',
    Resource: 'arn:aws:s3:::media/*',
  });
  const { allowed, reason } = policies(allow('*', '*')).decide(ROLE, {
    action: 's3:PutObject',
    resource: OBJECT,
    resourcePolicy,
  });
  expect(allowed).toBe(false);
  expect(reason).toMatch(/ with an explicit deny in a resource-based policy$/);
});

test("CDK's denials of plain HTTP and old TLS do not touch calls over loopback", () => {
  const deny = { Effect: 'Deny', Principal: { AWS: '*' }, Action: 's3:*', Resource: 'arn:aws:s3:::media/*' };
  const resourcePolicy = ofResource(
    { ...deny, Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
    { ...deny, Condition: { NumericLessThan: { 's3:TlsVersion': 1.2 } } },
  );
  expect(may(allow('*', '*'), { action: 's3:PutObject', resource: OBJECT, resourcePolicy })).toBe(true);
});

test.each([
  ['the role', { Principal: { AWS: ROLE_ARN } }, ROLE, true],
  ['everyone', { Principal: '*' }, ROLE, true],
  ['everyone', { Principal: { AWS: '*' } }, { type: 'anonymous' }, true],
  // Naming the account leaves the decision to the identity policies, and this role has none.
  ['the account', { Principal: { AWS: 'arn:aws:iam::123456789012:root' } }, ROLE, false],
  ['the account by number', { Principal: { AWS: '123456789012' } }, ROLE, false],
  ['another role', { Principal: { AWS: 'arn:aws:iam::123456789012:role/other' } }, ROLE, false],
  ['the service', { Principal: { Service: 'events.amazonaws.com' } }, EVENTS, true],
  ['another service', { Principal: { Service: ['s3.amazonaws.com'] } }, EVENTS, false],
  ['the role', { Principal: { AWS: ROLE_ARN } }, { type: 'anonymous' }, false],
  ['all but another role', { NotPrincipal: { AWS: 'arn:aws:iam::123456789012:role/other' } }, ROLE, true],
  ['all but the role', { NotPrincipal: { AWS: ROLE_ARN } }, ROLE, false],
] as [
  string,
  object,
  Principal,
  boolean,
][])('a resource policy that allows %s: %j for %j is %j', (_, who, principal, expected) => {
  const resourcePolicy = ofResource({ Effect: 'Allow', ...who, Action: 'sqs:SendMessage', Resource: '*' });
  const { decide } = createPolicies({ roles: [] });
  expect(decide(principal, { action: 'sqs:SendMessage', resource: 'arn:aws:sqs:a:b:q', resourcePolicy }).allowed).toBe(
    expected,
  );
});

test('a denial of the account holds for its roles', () => {
  const resourcePolicy = ofResource({ Effect: 'Deny', Principal: { AWS: '123456789012' }, Action: '*', Resource: '*' });
  expect(may(allow('*', '*'), { action: 's3:PutObject', resource: OBJECT, resourcePolicy })).toBe(false);
});

test('a denial of the account does not hold for those outside it', () => {
  const resourcePolicy = ofResource(
    { Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: '*' },
    { Effect: 'Deny', Principal: { AWS: '123456789012' }, Action: '*', Resource: '*' },
  );
  const check = { action: 's3:GetObject', resource: OBJECT, resourcePolicy };
  expect(createPolicies({ roles: [] }).decide({ type: 'anonymous' }, check).allowed).toBe(true);
});

test('a rule may send only to a queue whose policy names it as source', () => {
  const queue = 'arn:aws:sqs:us-east-1:123456789012:track';
  const resourcePolicy = (source: string) =>
    ofResource({
      Effect: 'Allow',
      Principal: { Service: 'events.amazonaws.com' },
      Action: 'sqs:SendMessage',
      Resource: queue,
      Condition: { ArnEquals: { 'aws:SourceArn': source } },
    });
  const decide = (source: string) =>
    createPolicies({ roles: [] }).decide(EVENTS, {
      action: 'sqs:SendMessage',
      resource: queue,
      resourcePolicy: resourcePolicy(source),
    });

  expect(decide('arn:aws:events:us-east-1:123456789012:rule/media/progress').allowed).toBe(true);
  expect(decide('arn:aws:events:us-east-1:123456789012:rule/other')).toEqual({
    allowed: false,
    reason:
      'User: events.amazonaws.com is not authorized to perform: sqs:SendMessage on resource: "arn:aws:sqs:us-east-1:123456789012:track" because no resource-based policy allows the sqs:SendMessage action',
  });
});

test('the developer may do everything, even what a resource policy denies', () => {
  const resourcePolicy = ofResource({ Effect: 'Deny', Principal: '*', Action: '*', Resource: '*' });
  const check = { action: 's3:PutObject', resource: OBJECT, resourcePolicy };
  expect(createPolicies({ roles: [] }).decide({ type: 'developer' }, check)).toEqual({ allowed: true, reason: '' });
});

test('used actions are recorded, and refused calls do not count as use', () => {
  const { decide, grants, usedActions } = policies(
    { ...allow(['s3:GetObject', 's3:Put*'], '*'), Sid: 'Objects' },
    allow('sqs:SendMessage', '*'),
  );
  decide(ROLE, { action: 's3:PutObject', resource: OBJECT });
  decide(ROLE, { action: 's3:PutObject', resource: OBJECT });
  decide(ROLE, { action: 's3:DeleteObject', resource: OBJECT });

  expect(usedActions()).toEqual([{ roleArn: ROLE_ARN, action: 's3:PutObject', resource: OBJECT }]);
  const grant = { roleArn: ROLE_ARN, policy: 'handler' };
  expect(grants()).toEqual([
    { ...grant, sid: 'Objects', statement: 0, action: 's3:GetObject', used: false },
    { ...grant, sid: 'Objects', statement: 0, action: 's3:Put*', used: true },
    { ...grant, statement: 1, action: 'sqs:SendMessage', used: false },
  ]);
});

/** What a policy variable begins with. */
const VARIABLE = '$';
const TABLE = 'arn:aws:dynamodb:us-east-1:123456789012:table/media';
const BUS = 'arn:aws:events:us-east-1:123456789012:event-bus/dropreel';

test.each([
  [['MEDIA#a'], true],
  [['MEDIA#a', 'CREATOR#ann'], true],
  [['MEDIA#a', 'WEBHOOKS#ann'], false],
  [['WEBHOOKS#ann'], false],
  [[], true],
])('rows with the partition keys %j are within MEDIA# and CREATOR#: %s', (keys, expected) => {
  const condition = { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['MEDIA#*', 'CREATOR#*'] } };
  const check = { action: 'dynamodb:GetItem', resource: TABLE, context: { 'dynamodb:LeadingKeys': keys } };
  expect(may(allow('dynamodb:GetItem', TABLE, condition), check)).toBe(expected);
});

test.each([
  [{ 'ForAnyValue:StringLike': { 'dynamodb:LeadingKeys': 'MEDIA#*' } }, ['WEBHOOKS#a', 'MEDIA#a'], true],
  [{ 'ForAnyValue:StringLike': { 'dynamodb:LeadingKeys': 'MEDIA#*' } }, ['WEBHOOKS#a'], false],
  [{ 'ForAnyValue:StringLike': { 'dynamodb:LeadingKeys': 'MEDIA#*' } }, [], false],
  [{ StringLike: { 'dynamodb:LeadingKeys': 'MEDIA#*' } }, ['MEDIA#a'], true],
  [{ StringLike: { 'dynamodb:LeadingKeys': 'MEDIA#*' } }, ['MEDIA#a', 'MEDIA#b'], false],
])('%j and the values %j: %s', (condition, keys, expected) => {
  const check = { action: 'dynamodb:GetItem', resource: TABLE, context: { 'dynamodb:LeadingKeys': keys } };
  expect(may(allow('dynamodb:GetItem', TABLE, condition), check)).toBe(expected);
});

test.each([
  ['dropreel.worker', 'Job Progress', true],
  ['dropreel', 'Job Progress', false],
  ['dropreel.worker', 'Media State Changed', false],
])('a worker may put an event with source %s and detail type %s: %s', (source, detailType, expected) => {
  const condition = { StringEquals: { 'events:source': 'dropreel.worker', 'events:detail-type': 'Job Progress' } };
  const context = { 'events:source': [source], 'events:detail-type': detailType };
  const check = { action: 'events:PutEvents', resource: BUS, context };
  expect(may(allow('events:PutEvents', BUS, condition), check)).toBe(expected);
});

test.each([
  [`a${VARIABLE}{*}b`, 'a*b', true],
  [`a${VARIABLE}{*}b`, 'axb', false],
  [`a${VARIABLE}{?}`, 'a?', true],
  [`a${VARIABLE}{?}`, 'ab', false],
  [`${VARIABLE}{$}{x}*`, `${VARIABLE}{x}y`, true],
])('in a resource, %s matches %s: %s', (pattern, key, expected) => {
  const check = { action: 's3:GetObject', resource: `arn:aws:s3:::b/${key}` };
  expect(may(allow('s3:GetObject', `arn:aws:s3:::b/${pattern}`), check)).toBe(expected);
});

test('a session may do only what both its role and its policy allow', () => {
  const { decide } = policies(allow(['s3:GetObject', 's3:PutObject'], 'arn:aws:s3:::b/*'));
  const policy = JSON.stringify({
    Statement: [
      allow(['s3:GetObject', 's3:DeleteObject'], '*'),
      { Effect: 'Deny', Action: 's3:GetObject', Resource: 'arn:aws:s3:::b/secret' },
    ],
  });
  const session: Principal = { type: 'role', arn: ROLE_ARN, session: { name: 'm-1', policy, expiresAt: 0 } };
  const reasonOf = (action: string, key: string) =>
    decide(session, { action, resource: `arn:aws:s3:::b/${key}` }).reason.replace(/^.*?" /, '');

  expect(reasonOf('s3:GetObject', 'x')).toBe('');
  expect(reasonOf('s3:PutObject', 'x')).toBe('because no session policy allows the s3:PutObject action');
  expect(reasonOf('s3:DeleteObject', 'x')).toBe('because no identity-based policy allows the s3:DeleteObject action');
  expect(reasonOf('s3:GetObject', 'secret')).toBe('with an explicit deny in a session policy');
});
