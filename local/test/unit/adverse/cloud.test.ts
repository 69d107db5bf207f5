import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { fn, POLL, RECORDER, role, smallCloud } from '../../support/small-cloud.ts';

const ASSEMBLY = {
  resources: {
    Queue: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'work' } },
    Role: role(...POLL),
    Function: fn('recorder', 'Role'),
    Mapping: {
      Type: 'AWS::Lambda::EventSourceMapping',
      Properties: {
        FunctionName: { Ref: 'Function' },
        EventSourceArn: { 'Fn::GetAtt': ['Queue', 'Arn'] },
        BatchSize: 1,
        FunctionResponseTypes: ['ReportBatchItemFailures'],
      },
    },
  },
  outputs: { Queue: { Value: { Ref: 'Queue' } } },
  functions: { recorder: RECORDER },
};

it('every message is received, some again after they were deleted, and out of order', async () => {
  await using small = await smallCloud(ASSEMBLY, { adverse: { seed: 7 } });
  const QueueUrl = small.cloud.outputs.Queue ?? '';
  const sent = Array.from({ length: 30 }, (_, n) => `message ${n}`);
  for (const MessageBody of sent) await small.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));
  const bodies = async () => {
    const events = (await small.written()) as { Records: { body: string }[] }[];
    return events.flatMap(({ Records }) => Records.map(({ body }) => body));
  };
  const got = await eventually('all came, and some again', async () => {
    const all = await bodies();
    return new Set(all).size === sent.length && all.length > sent.length + 2 && all;
  });
  expect([...new Set(got)].sort()).toEqual([...sent].sort());
  expect([...new Set(got)]).not.toEqual(sent);
});
