import { describe, expect, test } from 'vitest';
import { RESOURCE_TYPES } from '../../../plugins.ts';
import { parseTemplate } from '../../../template/assembly.ts';
import { describeUpdate } from '../../../template/replacement.ts';

const update = (before: Record<string, object>, after: Record<string, object>) =>
  describeUpdate(parseTemplate({ Resources: before }), parseTemplate({ Resources: after }), RESOURCE_TYPES);

const table = (properties: object, policies: object = { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' }) => ({
  Type: 'AWS::DynamoDB::Table',
  ...policies,
  Properties: properties,
});
const KEYS = [{ AttributeName: 'pk', KeyType: 'HASH' }];
const OTHER_KEYS = [{ AttributeName: 'id', KeyType: 'HASH' }];
const queue = (properties: object = {}) => ({ Type: 'AWS::SQS::Queue', Properties: properties });

describe('what CloudFormation would do with a changed template', () => {
  test('is not reported for changes that it can make in place', () => {
    const before = { Table: table({ KeySchema: KEYS }), Queue: queue({ VisibilityTimeout: 30 }) };
    expect(update(before, before)).toEqual([]);
    expect(
      update(before, { ...before, Queue: queue({ VisibilityTimeout: 60 }), New: queue({ QueueName: 'new' }) }),
    ).toEqual([]);
  });

  test('is to create a new, empty table beside one whose keys change', () => {
    expect(update({ Table: table({ KeySchema: KEYS }) }, { Table: table({ KeySchema: OTHER_KEYS }) })).toEqual([
      'DATA: CloudFormation would make a new, empty Table (AWS::DynamoDB::Table) (another KeySchema), and keep the old one with its data, which the stack then no longer manages',
    ]);
  });

  test('is to delete a replaced table that is not retained', () => {
    expect(update({ Table: table({ KeySchema: KEYS }, {}) }, { Table: table({ KeySchema: OTHER_KEYS }, {}) })).toEqual([
      'DATA: CloudFormation would make a new, empty Table (AWS::DynamoDB::Table) (another KeySchema), and delete the old one with its data',
    ]);
  });

  test('is to leave behind a table under another logical id', () => {
    expect(update({ Table: table({ KeySchema: KEYS }) }, { Renamed: table({ KeySchema: KEYS }) })).toEqual([
      'DATA: Table (AWS::DynamoDB::Table) is not in the template any more: CloudFormation would keep the old one with its data, which the stack then no longer manages',
    ]);
  });

  test('is to refuse the replacement of a resource with a name of its own', () => {
    const named = (KeySchema: object[]) => ({ Table: table({ TableName: 'films', KeySchema }) });
    expect(update(named(KEYS), named(OTHER_KEYS))).toEqual([
      'CloudFormation would refuse to replace Table (AWS::DynamoDB::Table) (another KeySchema): the new one has the same TableName',
    ]);
  });

  test('is to replace a resource without data, and everything that depends on it', () => {
    const template = (ProtocolType: string) => ({
      Stage: { Type: 'AWS::ApiGatewayV2::Stage', Properties: { ApiId: { Ref: 'Api' }, StageName: '$default' } },
      Api: { Type: 'AWS::ApiGatewayV2::Api', Properties: { ProtocolType } },
      Other: { Type: 'AWS::ApiGatewayV2::Stage', Properties: { ApiId: { Ref: 'OtherApi' }, StageName: '$default' } },
    });
    expect(update(template('HTTP'), template('WEBSOCKET'))).toEqual([
      'CloudFormation would replace Stage (AWS::ApiGatewayV2::Stage) (its ApiId is Api)',
      'CloudFormation would replace Api (AWS::ApiGatewayV2::Api) (another ProtocolType)',
    ]);
  });
});

describe('AWS refuses', () => {
  test('another key for a public key', () => {
    const key = (EncodedKey: string, Comment: string) => ({
      Key: { Type: 'AWS::CloudFront::PublicKey', Properties: { PublicKeyConfig: { EncodedKey, Comment, Name: 'a' } } },
    });
    expect(update(key('one', ''), key('one', 'for players'))).toEqual([]);
    expect(update(key('one', ''), key('two', ''))).toEqual([
      'AWS would refuse to change Key (AWS::CloudFront::PublicKey): EncodedKey stays as it was made; another key needs another logical id',
    ]);
  });

  test('other names to sign in with, and the removal of a user attribute', () => {
    const pool = (UsernameAttributes: string[], Schema: object[]) => ({
      Users: { Type: 'AWS::Cognito::UserPool', Properties: { UsernameAttributes, Schema } },
    });
    const team = { Name: 'team', AttributeDataType: 'String' };
    expect(update(pool(['email'], []), pool(['email'], [team]))).toEqual([]);
    expect(update(pool(['email'], [team]), pool(['phone_number'], []))).toEqual([
      'AWS would refuse to change Users (AWS::Cognito::UserPool): UsernameAttributes stays as it was made',
      'AWS would refuse to change Users (AWS::Cognito::UserPool): the attribute team of Schema can neither be changed nor go',
    ]);
  });

  test('a scheduling policy for a queue of jobs that has none', () => {
    const jobs = (properties: object) => ({ Jobs: { Type: 'AWS::Batch::JobQueue', Properties: properties } });
    expect(update(jobs({ SchedulingPolicyArn: 'a' }), jobs({ SchedulingPolicyArn: 'b' }))).toEqual([]);
    expect(update(jobs({}), jobs({ SchedulingPolicyArn: 'a' }))).toEqual([
      'AWS would refuse to change Jobs (AWS::Batch::JobQueue): a queue neither gets a scheduling policy later nor loses its own',
    ]);
  });

  test('other keys or projected attributes of an index', () => {
    const indexed = (ProjectionType: string, hash = 'owner') => ({
      Table: table({
        KeySchema: KEYS,
        GlobalSecondaryIndexes: [
          {
            IndexName: 'a',
            KeySchema: [{ AttributeName: hash, KeyType: 'HASH' }],
            Projection: { ProjectionType },
            OnDemandThroughput: { MaxReadRequestUnits: hash.length },
          },
        ],
      }),
    });
    const refused =
      'AWS would refuse to change Table (AWS::DynamoDB::Table): the global secondary index a stays as it was made; another one needs another name';
    expect(update(indexed('ALL'), indexed('ALL'))).toEqual([]);
    expect(update(indexed('ALL'), indexed('KEYS_ONLY'))).toEqual([refused]);
    expect(update(indexed('ALL'), indexed('ALL', 'creator'))).toEqual([refused]);
  });

  test('two new indexes of a table at once', () => {
    const indexed = (...names: string[]) => ({
      Table: table({ KeySchema: KEYS, GlobalSecondaryIndexes: names.map((IndexName) => ({ IndexName })) }),
    });
    expect(update(indexed('a'), indexed('a', 'b'))).toEqual([]);
    expect(update(indexed('a'), indexed('b'))).toEqual([
      'AWS would refuse to change Table (AWS::DynamoDB::Table): an update makes or removes one global secondary index, not b, a',
    ]);
  });
});
