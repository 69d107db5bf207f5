import { describe, expect, it } from 'vitest';
import { smallCloud } from '../../support/small-cloud.ts';
import { oursOnly } from '../target.ts';

oursOnly('AWS says it in the history of an alarm that has gone off, ours at boot');

/** The account's default policy lets alarms publish; one of the topic's own takes its place, and then has to let them. */
const PAGE = 'https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html';
/** "not authorized to perform: SNS:Publish", in an alarm's history, and the cure. */
const ANSWER = 'https://repost.aws/knowledge-center/cloudwatch-receive-sns-for-alarm-trigger';

const overHttps = {
  Effect: 'Deny',
  Principal: '*',
  Action: 'sns:Publish',
  Resource: { Ref: 'Topic' },
  Condition: { Bool: { 'aws:SecureTransport': 'false' } },
};
const allow = (conditions: object) => ({
  Effect: 'Allow',
  Principal: { Service: 'cloudwatch.amazonaws.com' },
  Action: 'sns:Publish',
  Resource: { Ref: 'Topic' },
  Condition: conditions,
});
const alarmsNamed = (name: string) => ({
  ArnLike: { 'aws:SourceArn': `arn:aws:cloudwatch:us-east-1:123456789012:alarm:${name}` },
});

function assembly(statements?: object[]) {
  return {
    resources: {
      Topic: { Type: 'AWS::SNS::Topic', Properties: { TopicName: 'alarms' } },
      Alarm: {
        Type: 'AWS::CloudWatch::Alarm',
        Properties: { AlarmName: 'dropreel-dead-letters', AlarmActions: [{ Ref: 'Topic' }] },
      },
      ...(statements && {
        Policy: {
          Type: 'AWS::SNS::TopicPolicy',
          Properties: { Topics: [{ Ref: 'Topic' }], PolicyDocument: { Statement: statements } },
        },
      }),
    },
  };
}

const boots = async (statements?: object[]) => {
  const small = await smallCloud(assembly(statements));
  await small[Symbol.asyncDispose]();
};

const REFUSED =
  'Alarm: failed to execute action arn:aws:sns:us-east-1:123456789012:alarms: User: cloudwatch.amazonaws.com is not authorized to perform: sns:Publish';

describe(`an alarm's action on a topic (${PAGE}, ${ANSWER})`, () => {
  it('is allowed by the default policy', () => boots());

  it('is refused by a policy that only denies plain HTTP', async () => {
    await expect(boots([overHttps])).rejects.toThrow(REFUSED);
  });

  it('is allowed by a policy that allows CloudWatch', () => boots([overHttps, allow(alarmsNamed('dropreel-*'))]));

  it('is refused by a policy that allows alarms of other names', async () => {
    await expect(boots([allow(alarmsNamed('other-*'))])).rejects.toThrow(REFUSED);
  });
});
