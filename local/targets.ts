import type { InternalCall } from './aws-json.ts';
import type { Lambda } from './lambda/lambda.ts';
import { AwsError, type Principal } from './service.ts';
import type { Sqs } from './sqs/service.ts';

/** Puts a payload (JSON text) into a queue, or into that of a function's events. @throws AwsError; a status of 500 or more is worth another try */
export type Deliver = (targetArn: string, payload: string, principal: Principal) => Promise<void>;

/** Where EventBridge's rules and the Scheduler's schedules lead. */
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
      throw new AwsError('UnsupportedTarget', 400, `${targetArn} is no target that is served locally.`);
    }
  };
}
