/** What targets get, as EventBridge's documentation says; the page is in each title, under docs.aws.amazon.com/eventbridge/latest/. */
import { EventBridgeClient, PutEventsCommand, type PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import { type Message, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { developer, queuePolicy, type SmallCloud, smallCloud } from '../../support/small-cloud.ts';
import { oursOnly } from '../target.ts';

oursOnly('its buses, rules and queues are those of a template');

const rule = (bus: string | object, target: object) => ({
  Type: 'AWS::Events::Rule',
  Properties: {
    EventBusName: bus,
    EventPattern: { source: ['my.app'] },
    Targets: [{ Id: 'Target0', Arn: { 'Fn::GetAtt': ['Queue', 'Arn'] }, ...target }],
  },
});
const queue = { Type: 'AWS::SQS::Queue' };
const arn = (id: string) => ({ 'Fn::GetAtt': [id, 'Arn'] });

let small: SmallCloud;
let client: EventBridgeClient;
beforeAll(async () => {
  small = await smallCloud(
    {
      outputs: {
        Queue: { Value: { Ref: 'Queue' } },
        Shaped: { Value: { Ref: 'Shaped' } },
        Dead: { Value: { Ref: 'Dead' } },
        RuleArn: { Value: arn('ToForbidden') },
      },
      resources: {
        Bus: { Type: 'AWS::Events::EventBus', Properties: { Name: 'own' } },
        Queue: queue,
        Shaped: queue,
        Forbidden: queue,
        Dead: queue,
        ToQueue: rule('own', {}),
        QueuePolicy: queuePolicy('Queue', 'ToQueue'),
        ToShaped: rule('shaped', {
          Arn: arn('Shaped'),
          InputTransformer: {
            InputPathsMap: { name: '$.detail.name', list: '$.detail.list', first: '$.detail.list[0]' },
            InputTemplate: '{"hello": "<name>!", "all": <list>, "first": <first>, "rule": <aws.events.rule-arn>}',
          },
        }),
        ShapedBus: { Type: 'AWS::Events::EventBus', Properties: { Name: 'shaped' } },
        ShapedPolicy: queuePolicy('Shaped', 'ToShaped'),
        ToForbidden: rule('own', { Arn: arn('Forbidden'), DeadLetterConfig: { Arn: arn('Dead') } }),
        DeadPolicy: queuePolicy('Dead', 'ToForbidden'),
      },
    },
    { port: 0 },
  );
  client = new EventBridgeClient(developer(small.cloud));
});
afterAll(async () => {
  client.destroy();
  await small[Symbol.asyncDispose]();
});

const entry = (more: Partial<PutEventsRequestEntry> = {}): PutEventsRequestEntry => ({
  Source: 'my.app',
  DetailType: 'Greeting',
  Detail: '{"name":"ada"}',
  EventBusName: 'own',
  ...more,
});
const put = (...Entries: PutEventsRequestEntry[]) => client.send(new PutEventsCommand({ Entries }));
const receive = async (name: string): Promise<Message> => {
  const { Messages } = await small.sqs.send(
    new ReceiveMessageCommand({
      QueueUrl: small.cloud.outputs[name],
      WaitTimeSeconds: 10,
      MessageAttributeNames: ['All'],
    }),
  );
  if (!Messages?.[0]) throw new Error(`no message came to ${name}`);
  return Messages[0];
};

test('APIReference/API_PutEvents: each entry gets an id, and the target receives the event in its envelope', async () => {
  const { FailedEntryCount, Entries } = await put(
    entry({ Time: new Date('2026-01-02T03:04:05.678Z'), Resources: ['arn:x'] }),
  );
  expect(FailedEntryCount).toBe(0);
  expect(JSON.parse((await receive('Queue')).Body ?? '')).toEqual({
    version: '0',
    id: Entries?.[0]?.EventId,
    'detail-type': 'Greeting',
    source: 'my.app',
    account: '123456789012',
    time: '2026-01-02T03:04:05Z',
    region: 'us-east-1',
    resources: ['arn:x'],
    detail: { name: 'ada' },
  });
});

test('userguide/eb-transform-target-input: variables are JSON outside of strings and text inside them', async () => {
  await put(entry({ EventBusName: 'shaped', Detail: '{"name":"a \\"b\\"","list":[1,2]}' }));
  expect(JSON.parse((await receive('Shaped')).Body ?? '')).toEqual({
    hello: 'a "b"!',
    all: [1, 2],
    first: 1,
    rule: 'arn:aws:events:us-east-1:123456789012:rule/shaped/small-toshaped',
  });
});

test('userguide/eb-rule-dlq: an event that the rule may not deliver goes to the dead-letter queue at once, with the reason', async () => {
  await put(entry());
  const { Body, MessageAttributes } = await receive('Dead');
  expect(JSON.parse(Body ?? '')).toMatchObject({ detail: { name: 'ada' } });
  expect(MessageAttributes?.RULE_ARN?.StringValue).toBe(small.cloud.outputs.RuleArn);
  expect(MessageAttributes?.TARGET_ARN?.StringValue).toBe('arn:aws:sqs:us-east-1:123456789012:small-forbidden');
  expect(MessageAttributes?.ERROR_CODE?.StringValue).toBe('AccessDenied');
  expect(MessageAttributes?.RETRY_ATTEMPTS?.StringValue).toBe('0');
});
