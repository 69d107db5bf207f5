import { randomUUID } from 'node:crypto';
import type { Policies } from '../../iam/policies.ts';
import type { InternalCall } from '../../kernel/aws-json.ts';
import { type Form, mapOf, queryService } from '../../kernel/aws-query.ts';
import { AwsError, type Principal, type Service, type ServiceRequest } from '../../kernel/service.ts';
import type { Sqs } from '../sqs/service.ts';
import type { Topic } from './template.ts';

export interface Sns {
  service: Service;
  /**
   * Publishes on behalf of an AWS service, which has no identity policies.
   * @throws AwsError AuthorizationError when the topic's policy does not allow it
   */
  publish(topicArn: string, message: string, principal: Principal): Promise<void>;
}

/**
 * The template's topics. Subscribers are queues, which receive the raw message; mail and other protocols are not delivered here.
 * Subscriptions are not kept over a restart.
 */
export function createSns(
  topics: readonly Topic[],
  { policies, sqs, call, log }: { policies: Policies; sqs: Sqs; call: InternalCall; log: (line: string) => void },
): Sns {
  const subscriptions = new Map<string, { topicArn: string; queueArn: string }>();

  function topicOf(arn: string): Topic {
    const topic = topics.find((one) => one.arn === arn);
    if (!topic) throw new AwsError('NotFound', 404, 'Topic does not exist');
    return topic;
  }

  function subscribe(form: Form, request: ServiceRequest): object {
    const { arn } = topicOf(form.get('TopicArn') ?? '');
    if (form.get('Protocol') !== 'sqs' || mapOf(form, 'Attributes').RawMessageDelivery !== 'true') {
      throw new AwsError('InvalidParameter', 400, 'Only queues with raw message delivery can subscribe locally.');
    }
    request.authorize({ action: 'sns:Subscribe', resource: arn });
    const SubscriptionArn = `${arn}:${randomUUID()}`;
    subscriptions.set(SubscriptionArn, { topicArn: arn, queueArn: form.get('Endpoint') ?? '' });
    return { SubscriptionArn };
  }

  function unsubscribe(form: Form, request: ServiceRequest): object {
    const arn = form.get('SubscriptionArn') ?? '';
    request.authorize({ action: 'sns:Unsubscribe', resource: arn });
    subscriptions.delete(arn);
    return {};
  }

  return {
    service: queryService({
      name: 'sns',
      title: 'SNS',
      namespace: 'http://sns.amazonaws.com/doc/2010-03-31/',
      operations: { Subscribe: subscribe, Unsubscribe: unsubscribe },
    }),
    async publish(topicArn, message, principal) {
      const topic = topicOf(topicArn);
      if (topic.policy !== undefined) {
        const check = { action: 'sns:Publish', resource: topicArn, resourcePolicy: topic.policy };
        const { allowed, reason } = policies.decide(principal, check);
        if (!allowed) throw new AwsError('AuthorizationError', 403, reason);
      }
      for (const { queueArn, topicArn: of } of subscriptions.values()) {
        if (of !== topicArn) continue;
        const sender: Principal = { type: 'service', service: 'sns.amazonaws.com', sourceArn: topicArn };
        await call({ service: 'sqs', operation: 'SendMessage', principal: sender }, (caller) =>
          sqs.send(queueArn, message, caller),
        ).catch((error) => log(`sns: ${topicArn} did not reach ${queueArn}: ${error}`));
      }
    },
  };
}
