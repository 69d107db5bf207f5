import type { ServicePlugin } from '../../plugin.ts';
import { arnOf, named } from '../../template/identity.ts';
import { dynamodb } from '../dynamodb/plugin.ts';
import { compilePattern } from '../eventbridge/pattern.ts';
import { sqs } from '../sqs/plugin.ts';
import { createLambda, type Lambda } from './lambda.ts';
import { checkDestinations, checkMappings } from './mappings.ts';
import { rate } from './prices.ts';
import { createLambdaApi } from './service.ts';
import { type LambdaConfiguration, readFunctions } from './template.ts';

export const lambda: ServicePlugin<LambdaConfiguration, Lambda> = {
  name: 'lambda',
  types: {
    'AWS::Lambda::Function': {
      identity: named('FunctionName', 64, (name) => ({
        attributes: { Arn: arnOf('lambda', `function:${name}`) },
      })),
      createOnly: ['FunctionName', 'PackageType', 'TenancyConfig'],
      namedBy: 'FunctionName',
    },
    'AWS::Lambda::Permission': {
      createOnly: [
        'Action',
        'EventSourceToken',
        'FunctionName',
        'FunctionUrlAuthType',
        'InvokedViaFunctionUrl',
        'Principal',
        'PrincipalOrgID',
        'SourceAccount',
        'SourceArn',
      ],
    },
    'AWS::Lambda::EventInvokeConfig': {
      createOnly: ['FunctionName', 'Qualifier'],
    },
    'AWS::Lambda::EventSourceMapping': {
      createOnly: [
        'AmazonManagedKafkaEventSourceConfig',
        'EventSourceArn',
        'SelfManagedEventSource',
        'SelfManagedKafkaEventSourceConfig',
        'StartingPosition',
        'StartingPositionTimestamp',
      ],
    },
  },
  read: readFunctions,
  check: ({ functions, mappings }, { reader, policies, configurationOf }) => {
    const queues = configurationOf(sqs);
    reader.problems.push(...checkMappings(mappings, { functions, queues, policies }));
    reader.problems.push(...checkDestinations(functions, policies));
  },
  create: async ({ functions, mappings }, context) => {
    const { options, policies, credentials, adverse } = context;
    const queues = context.configurationOf(sqs);
    const made = await createLambda(context, {
      functions: functions.map((each) => ({
        ...each,
        environment: { ...each.environment, ...options.environment },
      })),
      mappings,
      endpoint: context.endpoint,
      meter: context.meter,
      nodePath: context.nodePath,
      credentialsOf: (arn) => credentials.issue({ type: 'role', arn }),
      mayInvoke: (principal, resource) => {
        return (
          principal.type === 'role' && policies.decide(principal, { action: 'lambda:InvokeFunction', resource }).allowed
        );
      },
      onTableWrite: context.of(dynamodb).onWrite,
      visibilityOf: (arn) => queues.find((queue) => queue.arn === arn)?.visibilityTimeout ?? 30,
      concurrency: options.concurrency,
      queueUrlOf: (arn) => queues.find((queue) => queue.arn === arn)?.url ?? arn,
      matches: (pattern, record) => compilePattern(pattern)(record),
      ...(adverse && { repeats: adverse.repeats }),
    });
    return { handle: made, service: createLambdaApi(functions), start: made.start, work: made };
  },
  throttled: ['TooManyRequestsException', 429],
  rate,
};
