import { describe, expect, test } from 'vitest';
import { TemplateError } from '../../../template/errors.ts';
import { evaluateCondition, resolve, type Scope } from '../../../template/intrinsics.ts';

const scope: Scope = {
  ref: (name) => {
    const values: Record<string, unknown> = { Queue: 'the-queue', 'AWS::Region': 'us-east-1', Zones: ['a', 'b'] };
    if (name in values) return values[name];
    throw new TemplateError(`there is no resource ${name}`);
  },
  getAtt: (logicalId, attribute) => `${logicalId}/${attribute}`,
  condition: (name) => name === 'IsProduction',
  findInMap: (map, key, second) => `${map}:${key}:${second}`,
};

describe('functions', () => {
  test.for<[string, unknown, unknown]>([
    ['Ref', { Ref: 'Queue' }, 'the-queue'],
    ['Fn::GetAtt with a list', { 'Fn::GetAtt': ['Queue', 'Arn'] }, 'Queue/Arn'],
    ['Fn::GetAtt with a text', { 'Fn::GetAtt': 'Queue.Nested.Arn' }, 'Queue/Nested.Arn'],
    ['Fn::Join', { 'Fn::Join': [':', ['arn', { Ref: 'AWS::Region' }, 'x']] }, 'arn:us-east-1:x'],
    ['Fn::Join of a list from elsewhere', { 'Fn::Join': ['-', { Ref: 'Zones' }] }, 'a-b'],
    ['Fn::Sub', { 'Fn::Sub': `a-\${Queue}-\${AWS::Region}-\${Queue.Arn}` }, 'a-the-queue-us-east-1-Queue/Arn'],
    [
      'Fn::Sub with variables',
      { 'Fn::Sub': [`\${x}/\${Queue}`, { x: { Ref: 'AWS::Region' } }] },
      'us-east-1/the-queue',
    ],
    ['Fn::Sub with a literal', { 'Fn::Sub': `\${!Literal}` }, `\${Literal}`],
    ['Fn::Split', { 'Fn::Split': ['/', 'a/b/c'] }, ['a', 'b', 'c']],
    ['Fn::Select', { 'Fn::Select': ['1', { 'Fn::Split': ['/', 'a/b/c'] }] }, 'b'],
    ['Fn::If, true', { 'Fn::If': ['IsProduction', 'big', 'small'] }, 'big'],
    ['Fn::If, false', { 'Fn::If': ['IsTest', 'big', { Ref: 'Queue' }] }, 'the-queue'],
    ['Fn::FindInMap', { 'Fn::FindInMap': ['Sizes', { Ref: 'AWS::Region' }, 'cpu'] }, 'Sizes:us-east-1:cpu'],
    ['Fn::Base64', { 'Fn::Base64': 'hello' }, 'aGVsbG8='],
  ])('%s', ([, value, expected]) => {
    expect(resolve(value, scope)).toEqual(expected);
  });

  test('a property that is AWS::NoValue is left out, in objects and in lists', () => {
    const value = { a: { Ref: 'AWS::NoValue' }, b: [1, { 'Fn::If': ['IsTest', 2, { Ref: 'AWS::NoValue' }] }] };
    expect(resolve(value, scope)).toEqual({ b: [1] });
  });

  test("an IAM statement's Condition is not resolved as a condition of the template", () => {
    const statement = { Condition: { StringEquals: { 'aws:SourceArn': { 'Fn::GetAtt': ['Rule', 'Arn'] } } } };
    expect(resolve(statement, scope)).toEqual({ Condition: { StringEquals: { 'aws:SourceArn': 'Rule/Arn' } } });
  });

  test.for<[string, unknown, string]>([
    ['Fn::ImportValue', { 'Fn::ImportValue': 'other' }, 'Fn::ImportValue is not served'],
    ['an unknown Ref', { Ref: 'Nothing' }, 'there is no resource Nothing'],
    ['Fn::Select beyond the end', { 'Fn::Select': [5, ['a']] }, 'Fn::Select: no item 5 in ["a"]'],
    ['an object in Fn::Join', { 'Fn::Join': ['', [{ a: 1, b: 2 }]] }, 'a text is needed where there is {"a":1,"b":2}'],
  ])('refused: %s', ([, value, message]) => {
    expect(() => resolve(value, scope)).toThrow(new TemplateError(message));
  });
});

describe('conditions', () => {
  test.for<[unknown, boolean]>([
    [{ 'Fn::Equals': [{ Ref: 'AWS::Region' }, 'us-east-1'] }, true],
    [{ 'Fn::Equals': [{ Ref: 'AWS::Region' }, 'eu-west-1'] }, false],
    [{ 'Fn::And': [{ Condition: 'IsProduction' }, { 'Fn::Equals': ['a', 'a'] }] }, true],
    [{ 'Fn::Or': [{ Condition: 'IsTest' }, { 'Fn::Equals': ['a', 'b'] }] }, false],
    [{ 'Fn::Not': [{ Condition: 'IsTest' }] }, true],
  ])('%j is %s', ([condition, expected]) => {
    expect(evaluateCondition(condition, scope)).toBe(expected);
  });
});
