import { z } from 'zod';
import type { LoadedTemplate } from '../../template/load.ts';
import { Inert, type PropertyReader } from '../../template/read.ts';

export interface QueueConfiguration {
  name: string;
  arn: string;
  url: string;
  /** These four are in seconds. */
  visibilityTimeout: number;
  delay: number;
  retention: number;
  receiveWait: number;
  /** Bytes. */
  maxMessageSize: number;
  redrive?: { deadLetterArn: string; maxReceiveCount: number };
  /** The queue's resource policy: a policy document. */
  policy?: unknown;
}

const Seconds = (min: number, max: number) => z.coerce.number().int().min(min).max(max);

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sqs-queue.html */
const Queue = z.strictObject({
  QueueName: z.string().optional(),
  FifoQueue: z.literal(false, 'FIFO queues are not served').optional(),
  VisibilityTimeout: Seconds(0, 43_200).default(30),
  DelaySeconds: Seconds(0, 900).default(0),
  MessageRetentionPeriod: Seconds(60, 1_209_600).default(345_600),
  ReceiveMessageWaitTimeSeconds: Seconds(0, 20).default(0),
  MaximumMessageSize: z.coerce.number().int().min(1024).max(1_048_576).default(1_048_576),
  RedrivePolicy: z
    .strictObject({ deadLetterTargetArn: z.string(), maxReceiveCount: z.coerce.number().int().min(1).max(1000) })
    .optional(),
  // Restricts which queues may use this one as dead letters; here is only one account.
  RedriveAllowPolicy: Inert,
  // Nothing is encrypted at rest on a laptop.
  SqsManagedSseEnabled: Inert,
  KmsMasterKeyId: Inert,
  KmsDataKeyReusePeriodSeconds: Inert,
  Tags: Inert,
});

const QueuePolicy = z.strictObject({ Queues: z.array(z.string()), PolicyDocument: z.unknown() });

/** Reads the queues and their policies. Problems are recorded in the reader. */
export function readQueues(template: LoadedTemplate, reader: PropertyReader): QueueConfiguration[] {
  const policies = new Map<string, unknown>();
  for (const resource of template.ofType('AWS::SQS::QueuePolicy')) {
    const policy = reader.read(resource, QueuePolicy);
    for (const url of policy?.Queues ?? []) policies.set(url, policy?.PolicyDocument);
  }
  return template.ofType('AWS::SQS::Queue').flatMap((resource) => {
    const queue = reader.read(resource, Queue);
    if (!queue) return [];
    const policy = policies.get(resource.ref);
    return [
      {
        name: resource.name,
        arn: resource.attributes.Arn ?? '',
        url: resource.ref,
        visibilityTimeout: queue.VisibilityTimeout,
        delay: queue.DelaySeconds,
        retention: queue.MessageRetentionPeriod,
        receiveWait: queue.ReceiveMessageWaitTimeSeconds,
        maxMessageSize: queue.MaximumMessageSize,
        ...(queue.RedrivePolicy && {
          redrive: {
            deadLetterArn: queue.RedrivePolicy.deadLetterTargetArn,
            maxReceiveCount: queue.RedrivePolicy.maxReceiveCount,
          },
        }),
        ...(policy !== undefined && { policy }),
      },
    ];
  });
}
