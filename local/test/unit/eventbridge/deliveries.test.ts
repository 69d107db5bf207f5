import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { expect, test } from 'vitest';
import { AwsError } from '../../../kernel/service.ts';
import { eventually } from '../../support/eventually.ts';
import { developer, queuePolicy, type SmallCloud, smallCloud } from '../../support/small-cloud.ts';

const RULE_TO_QUEUE = {
  outputs: { Url: { Value: { Ref: 'Queue' } } },
  resources: {
    Queue: { Type: 'AWS::SQS::Queue' },
    Policy: queuePolicy('Queue', 'Rule'),
    Rule: {
      Type: 'AWS::Events::Rule',
      Properties: {
        EventPattern: { source: ['my.app'] },
        Targets: [{ Id: 'T', Arn: { 'Fn::GetAtt': ['Queue', 'Arn'] } }],
      },
    },
  },
};

async function put(small: SmallCloud): Promise<void> {
  const client = new EventBridgeClient(developer(small.cloud));
  await client.send(new PutEventsCommand({ Entries: [{ Source: 'my.app', DetailType: 'x', Detail: '{"n":1}' }] }));
  client.destroy();
}

async function receive(small: SmallCloud): Promise<unknown> {
  const { Messages } = await small.sqs.send(
    new ReceiveMessageCommand({ QueueUrl: small.cloud.outputs.Url, WaitTimeSeconds: 10 }),
  );
  return JSON.parse(Messages?.[0]?.Body ?? 'null');
}

const isDelivery = (call: { service: string; operation: string; principal: { type: string } }) =>
  call.service === 'sqs' && call.operation === 'SendMessage' && call.principal.type === 'service';

test('a failed delivery is repeated', async () => {
  let failures = 0;
  await using small = await smallCloud(RULE_TO_QUEUE, {
    hooks: {
      before: (call) => {
        if (isDelivery(call) && failures++ < 2) throw new AwsError('InternalError', 500, 'try again');
      },
    },
  });
  await put(small);
  expect(await receive(small)).toMatchObject({ detail: { n: 1 } });
  expect(failures).toBe(3);
});

test('an event that was accepted before a crash is delivered after it', async () => {
  let isUp = false;
  await using small = await smallCloud(RULE_TO_QUEUE, {
    hooks: {
      before: (call) => {
        if (isDelivery(call) && !isUp) throw new AwsError('InternalError', 500, 'the queue is away');
      },
    },
  });
  await put(small);
  await small.crashAndRestart();
  isUp = true;
  await small.crashAndRestart();
  expect(await receive(small)).toMatchObject({ detail: { n: 1 } });
});

test('an event is delivered again after a crash between its delivery and the note of it', async () => {
  let crashed = false;
  const hooks = {
    after: (call: Parameters<typeof isDelivery>[0]) => {
      // The queue has it, the bus is not told.
      if (isDelivery(call) && !crashed) return new Promise<void>(() => {});
      return undefined;
    },
  };
  await using small = await smallCloud(RULE_TO_QUEUE, { hooks });
  await put(small);
  expect(await receive(small)).toMatchObject({ detail: { n: 1 } });
  crashed = true;
  await small.crashAndRestart();
  const bodies = await eventually('both copies', async () => {
    const { Messages = [] } = await small.sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: small.cloud.outputs.Url,
        MaxNumberOfMessages: 10,
        WaitTimeSeconds: 1,
        VisibilityTimeout: 0,
      }),
    );
    return Messages.length === 2 && Messages.map(({ Body = '' }) => JSON.parse(Body).id);
  });
  expect(new Set(bodies).size).toBe(1);
});
