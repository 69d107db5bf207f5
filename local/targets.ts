import type { InternalCall } from './aws-json.ts';
import type { Lambda } from './lambda/lambda.ts';
import { AwsError, type Principal } from './service.ts';
import type { Sqs } from './sqs/service.ts';

/** Hands a payload (JSON text) to a queue or a function. @throws AwsError; a status of 500 or more is worth another try */
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
      const outcome = await lambda.invoke(targetArn, JSON.parse(payload), principal);
      if (!outcome.ok) throw new AwsError('FunctionError', 500, outcome.error.errorMessage);
    } else {
      throw new AwsError('UnsupportedTarget', 400, `${targetArn} is no target that is served locally.`);
    }
  };
}
