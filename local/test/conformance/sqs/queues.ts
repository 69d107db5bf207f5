import { randomUUID } from 'node:crypto';
import {
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  PurgeQueueCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { smallCloud } from '../../support/small-cloud.ts';
import { type ClientOptions, OTHER } from '../target.ts';

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

export type Name = keyof typeof QUEUES;

export interface Queues extends AsyncDisposable {
  client: SQSClient;
  url: Record<Name, string>;
  arn: Record<Name, string>;
  /** Makes them empty, for the next case. */
  renew(): Promise<void>;
}

/** Queues of a local cloud, or made with the API of another endpoint and deleted at the end. */
export async function conformanceQueues(): Promise<Queues> {
  return OTHER ? made(OTHER) : local();
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
  const url = named('Url') as Queues['url'];
  return {
    client: small.sqs,
    url,
    arn: named('Arn') as Queues['arn'],
    async renew() {
      for (const QueueUrl of Object.values(url)) await small.sqs.send(new PurgeQueueCommand({ QueueUrl }));
    },
    [Symbol.asyncDispose]: () => small[Symbol.asyncDispose](),
  };
}

async function made(options: ClientOptions): Promise<Queues> {
  const client = new SQSClient(options);
  const queues = { client, url: {} as Queues['url'], arn: {} as Queues['arn'] };
  const all: string[] = [];
  return {
    ...queues,
    // A queue may be purged once in 60 seconds: each case has queues of its own.
    async renew() {
      const run = randomUUID().slice(0, 8);
      for (const name of Object.keys(QUEUES) as Name[]) {
        const QueueName = `conformance-${run}-${name}`;
        const { QueueUrl = '' } = await client.send(
          new CreateQueueCommand({ QueueName, Attributes: attributes(name, queues.arn.dead) }),
        );
        all.push(QueueUrl);
        const { Attributes } = await client.send(
          new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }),
        );
        queues.url[name] = QueueUrl;
        queues.arn[name] = Attributes?.QueueArn ?? '';
      }
    },
    async [Symbol.asyncDispose]() {
      for (const QueueUrl of all) await client.send(new DeleteQueueCommand({ QueueUrl }));
      client.destroy();
    },
  };
}

function attributes(name: Name, deadLetterTargetArn: string): Record<string, string> {
  const own = Object.fromEntries(Object.entries(QUEUES[name]).map(([key, value]) => [key, String(value)]));
  if (name !== 'redriven') return own;
  return { ...own, RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount: MAX_RECEIVE_COUNT }) };
}
