import { BatchClient } from '@aws-sdk/client-batch';
import {
  CloudFormationClient,
  DescribeStacksCommand,
  paginateListStackResources,
  type StackResourceSummary,
} from '@aws-sdk/client-cloudformation';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { ECSClient } from '@aws-sdk/client-ecs';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { SNSClient } from '@aws-sdk/client-sns';
import { SQSClient } from '@aws-sdk/client-sqs';
import { Failed } from './failed.ts';
import type { Receiver } from './receiver.ts';

/** Region, credentials and, for anything but AWS, the endpoint of every client. */
export interface ClientConfig {
  region?: string;
  endpoint?: string;
  credentials?: { accessKeyId: string; secretAccessKey: string };
  profile?: string;
}

/** A deployment of dropreel, on AWS or on a local cloud. */
export interface Target {
  stack: string;
  outputs: Readonly<Record<string, string>>;
  resources: readonly StackResourceSummary[];
  clients: Clients;
  /** A token with the operator's scope. */
  token(): Promise<string>;
  /** Opens an address that the deployment can reach and that records requests. */
  receiver(): Promise<Receiver>;
  /** Factor on every time limit. 1 on AWS. */
  patience: number;
  pollMs: number;
  /** A clip that takes long enough to encode that its worker can be stopped in the middle. */
  longClip: { seconds: number; size: string };
  /** How many of the clips of the check of MediaConvert are encoded. Default: all. */
  oddClips?: number;
  /** Skips the quarter of an hour in which a deleted media item's publishers may still be at work, where time can be moved. */
  passGrace?(): void;
  /** Called between two checks, where schedules need not be waited for. */
  hurry?(): Promise<void>;
}

export type Clients = ReturnType<typeof clientsOf>;

export function clientsOf(config: ClientConfig) {
  return {
    cloudformation: new CloudFormationClient(config),
    cloudwatch: new CloudWatchClient(config),
    sns: new SNSClient(config),
    sqs: new SQSClient(config),
    s3: new S3Client({ ...config, forcePathStyle: config.endpoint !== undefined }),
    lambda: new LambdaClient(config),
    batch: new BatchClient(config),
    ecs: new ECSClient(config),
  };
}

/**
 * CloudFormation's description of the stack.
 * @throws Failed when there is none, or it is not whole
 */
export async function describeStack({ cloudformation }: Clients, stack: string) {
  const { Stacks = [] } = await cloudformation
    .send(new DescribeStacksCommand({ StackName: stack }))
    .catch((error: Error) => {
      throw new Failed(`The stack ${stack} cannot be described: ${error.message}`);
    });
  const status = Stacks[0]?.StackStatus ?? 'missing';
  if (!/^(CREATE|UPDATE|IMPORT)_COMPLETE$|^UPDATE_ROLLBACK_COMPLETE$/.test(status)) {
    throw new Failed(`The stack ${stack} is ${status}: deploy it first.`);
  }
  const outputs = Object.fromEntries(
    (Stacks[0]?.Outputs ?? []).map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]),
  );
  const resources: StackResourceSummary[] = [];
  for await (const page of paginateListStackResources({ client: cloudformation }, { StackName: stack })) {
    resources.push(...(page.StackResourceSummaries ?? []));
  }
  return { outputs, resources };
}

/** @throws Failed when the stack has no such output */
export function outputOf({ outputs, stack }: Pick<Target, 'outputs' | 'stack'>, name: string): string {
  const value = outputs[name];
  if (value === undefined) throw new Failed(`The stack ${stack} has no output ${name}: deploy this release first.`);
  return value;
}
