/** What a template may ask of asynchronous invocations, and the local Lambda does not serve. */
import { expect, test } from 'vitest';
import { fn, role, smallCloud } from '../../support/small-cloud.ts';

const arn = (id: string) => ({ 'Fn::GetAtt': [id, 'Arn'] });

test.for<[string, { config?: object; fn?: object }, string]>([
  ['another version', { config: { Qualifier: 'live' } }, 'Config.Qualifier: versions and aliases are not served'],
  [
    'a topic as destination',
    { config: { DestinationConfig: { OnFailure: { Destination: 'arn:aws:sns:us-east-1:123456789012:t' } } } },
    'Config.DestinationConfig.OnFailure.Destination: only queues are served',
  ],
  [
    'a destination of successes',
    { config: { DestinationConfig: { OnSuccess: { Destination: arn('Queue') } } } },
    'Config.DestinationConfig.OnSuccess: this property of AWS::Lambda::EventInvokeConfig is not served',
  ],
  [
    'a dead-letter queue of its own',
    { fn: { DeadLetterConfig: { TargetArn: arn('Queue') } } },
    'Function.DeadLetterConfig: this property of AWS::Lambda::Function is not served',
  ],
])('%s is refused at boot', async ([, changes, message]) => {
  const resources = {
    Queue: { Type: 'AWS::SQS::Queue' },
    Role: role('sqs:SendMessage'),
    Function: fn('worker', 'Role', changes.fn),
    Config: {
      Type: 'AWS::Lambda::EventInvokeConfig',
      Properties: { FunctionName: { Ref: 'Function' }, Qualifier: '$LATEST', ...changes.config },
    },
  };
  await expect(smallCloud({ functions: { worker: '' }, resources })).rejects.toThrow(message);
});
