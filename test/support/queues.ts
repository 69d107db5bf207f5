import { GetQueueAttributesCommand, ListQueuesCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Cloud } from '../../local/boot.ts';
import { REGION } from '../../local/kernel/account.ts';
import { eventually } from './cloud.ts';

/** A queue of a cloud, with how many messages it has. */
export interface QueueState {
  name: string;
  url: string;
  /** Whether it is one of dead letters, which no function reads. */
  dead: boolean;
  /** Messages that the next receive can get. */
  visible: number;
  /** These, those in flight and the delayed ones. */
  all: number;
}

/** A client of the developer, who may send to and receive from every queue. */
export function sqsOf({ endpoint, credentials }: Pick<Cloud, 'endpoint' | 'credentials'>): SQSClient {
  return new SQSClient({ endpoint, region: REGION, credentials });
}

export async function queuesOf(sqs: SQSClient): Promise<QueueState[]> {
  const { QueueUrls = [] } = await sqs.send(new ListQueuesCommand({}));
  return Promise.all(
    QueueUrls.map(async (url) => {
      const command = new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['All'] });
      const { Attributes = {} } = await sqs.send(command);
      const visible = Number(Attributes.ApproximateNumberOfMessages);
      const others =
        Number(Attributes.ApproximateNumberOfMessagesNotVisible) +
        Number(Attributes.ApproximateNumberOfMessagesDelayed);
      const name = url.split('/').at(-1) ?? '';
      return { name, url, dead: /deadletters|undelivered|missed/.test(name), visible, all: visible + others };
    }),
  );
}

/** Resolves when the functions have taken every message out of their queues. */
export function allTaken(sqs: SQSClient): Promise<boolean> {
  return eventually('every message is taken', async () => {
    return (await queuesOf(sqs)).every(({ dead, all }) => dead || all === 0);
  });
}
