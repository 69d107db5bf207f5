import type { Policies } from '../../iam/policies.ts';
import type { QueueConfiguration } from '../sqs/template.ts';
import type { FunctionConfiguration, MappingConfiguration } from './template.ts';

/** Permissions that Lambda requires of a function's role when a mapping is created. */
const NEEDED = {
  // https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html#events-sqs-permissions
  sqs: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'],
  // https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-eventsourcemapping.html
  dynamodb: ['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator', 'dynamodb:ListStreams'],
} as const;

/** Returns the reasons why Lambda would refuse to create the event source mappings. */
export function checkMappings(
  mappings: readonly MappingConfiguration[],
  others: {
    functions: readonly FunctionConfiguration[];
    queues: readonly QueueConfiguration[];
    policies: Policies;
  },
): string[] {
  const { functions, queues, policies } = others;
  return mappings.flatMap((mapping) => {
    const fn = functions.find(({ arn }) => arn === mapping.functionArn);
    if (!fn) return [];
    const needed: [action: string, resource: string][] = NEEDED[mapping.source].map((it) => [it, mapping.sourceArn]);
    if (mapping.onFailureArn) needed.push(['sqs:SendMessage', mapping.onFailureArn]);
    const problems = needed.flatMap(([action, resource]) => missing(fn, action, resource, policies));
    const queue = queues.find(({ arn }) => arn === mapping.sourceArn);
    if (queue && queue.visibilityTimeout < fn.timeoutSeconds) {
      const times = `${queue.visibilityTimeout} seconds is less than Function timeout: ${fn.timeoutSeconds} seconds`;
      problems.push(`Queue visibility timeout: ${times}`);
    }
    return problems.map((problem) => `${mapping.id}: ${problem}`);
  });
}

/** Returns the reasons why Lambda would refuse the destinations of functions' asynchronous invocations. */
export function checkDestinations(functions: readonly FunctionConfiguration[], policies: Policies): string[] {
  return functions.flatMap((fn) => {
    const { onFailureArn } = fn.asynchronous;
    return onFailureArn ? missing(fn, 'sqs:SendMessage', onFailureArn, policies) : [];
  });
}

function missing(fn: FunctionConfiguration, action: string, resource: string, policies: Policies): string[] {
  if (policies.decide({ type: 'role', arn: fn.roleArn }, { action, resource }).allowed) return [];
  return [`the role of ${fn.name} does not have permissions to call ${action} on ${resource}`];
}
