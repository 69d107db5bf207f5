import type { Policies } from '../iam/policies.ts';
import type { FunctionConfiguration, MappingConfiguration } from '../lambda/template.ts';
import type { QueueConfiguration } from '../sqs/template.ts';

/** What Lambda asks of a function's role when a mapping is made. */
const NEEDED = {
  // https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html#events-sqs-permissions
  sqs: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'],
  // https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-eventsourcemapping.html
  dynamodb: ['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator', 'dynamodb:ListStreams'],
} as const;

/** Says why Lambda would refuse to create the event source mappings. */
export function checkMappings(
  mappings: readonly MappingConfiguration[],
  functions: readonly FunctionConfiguration[],
  queues: readonly QueueConfiguration[],
  policies: Policies,
): string[] {
  return mappings.flatMap((mapping) => {
    const fn = functions.find(({ arn }) => arn === mapping.functionArn);
    if (!fn) return [];
    const may = (action: string, resource: string) =>
      policies.decide({ type: 'role', arn: fn.roleArn }, { action, resource }).allowed;
    const needed: [action: string, resource: string][] = NEEDED[mapping.source].map((it) => [it, mapping.sourceArn]);
    if (mapping.onFailureArn) needed.push(['sqs:SendMessage', mapping.onFailureArn]);
    const problems = needed
      .filter(([action, resource]) => !may(action, resource))
      .map(([action, resource]) => `the role of ${fn.name} does not have permissions to call ${action} on ${resource}`);
    const queue = queues.find(({ arn }) => arn === mapping.sourceArn);
    if (queue && queue.visibilityTimeout < fn.timeoutSeconds) {
      const times = `${queue.visibilityTimeout} seconds is less than Function timeout: ${fn.timeoutSeconds} seconds`;
      problems.push(`Queue visibility timeout: ${times}`);
    }
    return problems.map((problem) => `${mapping.id}: ${problem}`);
  });
}
