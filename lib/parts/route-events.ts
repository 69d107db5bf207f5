import { type EventPattern, type IEventBus, Rule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import type { Construct } from 'constructs';
import type { WorkQueue } from './work-queue.ts';

/**
 * Matching events go to the queue unchanged. What EventBridge cannot deliver lands in the queue's own dead letters, from where the same
 * redrive returns it.
 * @param bus default: the account's default bus, where AWS services report
 */
export function routeEvents(scope: Construct, id: string, pattern: EventPattern, to: WorkQueue, bus?: IEventBus): Rule {
  return new Rule(scope, id, {
    eventPattern: pattern,
    targets: [new SqsQueue(to.queue, { deadLetterQueue: to.deadLetters })],
    ...(bus && { eventBus: bus }),
  });
}
