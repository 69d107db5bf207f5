import { randomUUID } from 'node:crypto';
import { CreateQueueCommand, GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { smallCloud } from '../../helpers/small-cloud.ts';
import { clientOptions, OTHER_ENDPOINT } from '../target.ts';

/** The queues that the cases use: their attributes, and whose dead letters they are. */
const QUEUES = {
  plain: {},
  brief: { VisibilityTimeout: 1 },
  delayed: { DelaySeconds: 1 },
  small: { MaximumMessageSize: 1024 },
  dead: {},
  redriven: { VisibilityTimeout: 0 },
} as const;
const MAX_RECEIVE_COUNT = 2;

export interface Queues extends AsyncDisposable {
  client: SQSClient;
  url: Record<keyof typeof QUEUES, string>;
  arn: Record<keyof typeof QUEUES, string>;
}

/** Queues of a local cloud, or of CONFORMANCE_ENDPOINT. */
export async function conformanceQueues(): Promise<Queues> {
  return OTHER_ENDPOINT ? made(OTHER_ENDPOINT) : local();
}

async function local(): Promise<Queues> {
  const resources = Object.fromEntries(
    Object.entries(QUEUES).map(([name, properties]) => [
      name,
      {
        Type: 'AWS::SQS::Queue',
        Properties: {
          ...properties,
          ...(name === 'redriven' && {
            RedrivePolicy: {
              deadLetterTargetArn: { 'Fn::GetAtt': ['dead', 'Arn'] },
              maxReceiveCount: MAX_RECEIVE_COUNT,
            },
          }),
        },
      },
    ]),
  );
  const outputs = Object.fromEntries(
    Object.keys(QUEUES).flatMap((name) => [
      [`${name}Url`, { Value: { Ref: name } }],
      [`${name}Arn`, { Value: { 'Fn::GetAtt': [name, 'Arn'] } }],
    ]),
  );
  const small = await smallCloud({ resources, outputs }, { port: 0 });
  const named = (suffix: string) =>
    Object.fromEntries(Object.keys(QUEUES).map((name) => [name, small.cloud.outputs[`${name}${suffix}`]]));
  return {
    client: small.sqs,
    url: named('Url') as Queues['url'],
    arn: named('Arn') as Queues['arn'],
    [Symbol.asyncDispose]: () => small[Symbol.asyncDispose](),
  };
}

async function made(endpoint: string): Promise<Queues> {
  const client = new SQSClient(clientOptions(endpoint));
  const run = randomUUID().slice(0, 8);
  const url: Record<string, string> = {};
  const arn: Record<string, string> = {};
  for (const [name, properties] of Object.entries(QUEUES)) {
    const attributes = Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, String(value)]));
    if (name === 'redriven') {
      attributes.RedrivePolicy = JSON.stringify({ deadLetterTargetArn: arn.dead, maxReceiveCount: MAX_RECEIVE_COUNT });
    }
    const { QueueUrl } = await client.send(
      new CreateQueueCommand({ QueueName: `${run}-${name}`, Attributes: attributes }),
    );
    url[name] = QueueUrl ?? '';
    const { Attributes } = await client.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }));
    arn[name] = Attributes?.QueueArn ?? '';
  }
  return {
    client,
    url: url as Queues['url'],
    arn: arn as Queues['arn'],
    [Symbol.asyncDispose]: async () => client.destroy(),
  };
}
