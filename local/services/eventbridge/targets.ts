import type { InternalCall } from '../../kernel/aws-json.ts';
import { AwsError, type Principal } from '../../kernel/service.ts';
import type { Lambda } from '../lambda/lambda.ts';
import type { Sqs } from '../sqs/service.ts';

/**
 * Puts a payload (JSON text) into an SQS queue or a function's event queue.
 * @throws AwsError; a status of 500 or more can be retried
 */
export type Deliver = (targetArn: string, payload: string, principal: Principal) => Promise<void>;

/** Delivers to the targets of EventBridge's rules and the Scheduler's schedules. */
export function createDeliver(services: { sqs: Sqs; lambda: Lambda; call: InternalCall }): Deliver {
  const { sqs, lambda, call } = services;
  return async (targetArn, payload, principal) => {
    const service = targetArn.split(':')[2];
    if (service === 'sqs') {
      await call({ service: 'sqs', operation: 'SendMessage', principal }, (caller) =>
        sqs.send(targetArn, payload, caller),
      );
    } else if (service === 'lambda') {
      await lambda.enqueue(targetArn, payload, principal);
    } else {
      throw new AwsError('UnsupportedTarget', 400, `${targetArn} is not a target that is served locally.`);
    }
  };
}
