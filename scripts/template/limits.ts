/** Limits of the services that no schema states. Sizes are counted with stand-ins for values known only when deployed. */
import { isRecord, type Problem, type Template, type TemplateResource } from './problem.ts';

/** The longest that CloudFormation makes: a physical name of 64 characters, an ARN around it. */
const REF_LENGTH = 64;
const ATTRIBUTE_LENGTH = 128;

/** Longest physical names that a template may give, in characters. */
const NAME_LENGTHS: Readonly<Record<string, readonly [property: string, most: number]>> = {
  'AWS::CloudWatch::Alarm': ['AlarmName', 255],
  'AWS::CloudWatch::Dashboard': ['DashboardName', 255],
  'AWS::Events::EventBus': ['Name', 256],
  'AWS::Events::Rule': ['Name', 64],
  'AWS::IAM::Role': ['RoleName', 64],
  'AWS::Lambda::Function': ['FunctionName', 64],
  'AWS::S3::Bucket': ['BucketName', 63],
  'AWS::SQS::Queue': ['QueueName', 80],
  'AWS::Batch::JobQueue': ['JobQueueName', 128],
  'AWS::Batch::JobDefinition': ['JobDefinitionName', 128],
};

/** IAM, Lambda, EventBridge, SQS, S3, Batch, CloudFormation: their "quotas" pages. */
const LIMITS = {
  templateBytes: 1_000_000,
  resources: 500,
  outputs: 200,
  inlinePolicies: 10_240,
  trustPolicy: 2_048,
  bucketPolicy: 20_480,
  queuePolicy: 8_192,
  environmentBytes: 4_096,
  eventPattern: 2_048,
  alarmMetrics: 10,
} as const;

type Check = (properties: Record<string, unknown>, report: (path: string, message: string) => void) => void;

export function checkLimits(template: Template): Problem[] {
  const problems: Problem[] = [];
  const whole = (message: string) => problems.push({ logicalId: 'template', type: 'stack', path: '', message });
  within(JSON.stringify(template).length, LIMITS.templateBytes, 'bytes', whole);
  within(Object.keys(template.Resources).length, LIMITS.resources, 'resources', whole);
  within(Object.keys(template.Outputs ?? {}).length, LIMITS.outputs, 'outputs', whole);
  for (const [logicalId, resource] of Object.entries(template.Resources)) {
    const report = (path: string, message: string) => problems.push({ logicalId, type: resource.Type, path, message });
    const properties = resource.Properties ?? {};
    const [name, most] = NAME_LENGTHS[resource.Type] ?? ['', 0];
    if (typeof properties[name] === 'string') {
      within(properties[name].length, most, 'characters', (message) => report(`Properties.${name}`, message));
    }
    CHECKS[resource.Type]?.(properties, report);
    if (resource.Type === 'AWS::IAM::Role') checkInlinePolicies(template, logicalId, resource, report);
  }
  return problems;
}

const CHECKS: Readonly<Record<string, Check>> = {
  'AWS::IAM::Role': ({ AssumeRolePolicyDocument }, report) =>
    within(policySize(AssumeRolePolicyDocument), LIMITS.trustPolicy, 'characters', (message) =>
      report('Properties.AssumeRolePolicyDocument', message),
    ),
  'AWS::S3::BucketPolicy': ({ PolicyDocument }, report) =>
    within(policySize(PolicyDocument), LIMITS.bucketPolicy, 'bytes', (message) =>
      report('Properties.PolicyDocument', message),
    ),
  'AWS::SQS::QueuePolicy': ({ PolicyDocument }, report) =>
    within(policySize(PolicyDocument), LIMITS.queuePolicy, 'bytes', (message) =>
      report('Properties.PolicyDocument', message),
    ),
  'AWS::SQS::Queue': (properties, report) => {
    between(properties, 'VisibilityTimeout', 0, 43_200, report);
    between(properties, 'MessageRetentionPeriod', 60, 1_209_600, report);
    between(properties, 'DelaySeconds', 0, 900, report);
  },
  'AWS::Events::Rule': ({ EventPattern }, report) =>
    within(policySize(EventPattern ?? {}), LIMITS.eventPattern, 'characters', (message) =>
      report('Properties.EventPattern', message),
    ),
  'AWS::CloudWatch::Alarm': ({ Metrics }, report) =>
    within(Array.isArray(Metrics) ? Metrics.length - 1 : 0, LIMITS.alarmMetrics, 'metrics', (message) =>
      report('Properties.Metrics', message),
    ),
  'AWS::Lambda::Function': (properties, report) => {
    between(properties, 'Timeout', 1, 900, report);
    between(properties, 'MemorySize', 128, 10_240, report);
    const { Variables = {} } = isRecord(properties.Environment) ? properties.Environment : {};
    const bytes = Object.entries(isRecord(Variables) ? Variables : {}).reduce(
      (sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(String(withStandIns(value))),
      0,
    );
    within(bytes, LIMITS.environmentBytes, 'bytes', (message) => report('Properties.Environment', message));
  },
  'AWS::Lambda::EventSourceMapping': (properties, report) => {
    between(properties, 'BatchSize', 1, 10_000, report);
    between(properties, 'MaximumBatchingWindowInSeconds', 0, 300, report);
    const { Filters = [] } = isRecord(properties.FilterCriteria) ? properties.FilterCriteria : {};
    within(Array.isArray(Filters) ? Filters.length : 0, 5, 'filters', (message) =>
      report('Properties.FilterCriteria.Filters', message),
    );
  },
  'AWS::Batch::JobDefinition': (properties, report) => {
    const retry = isRecord(properties.RetryStrategy) ? properties.RetryStrategy : {};
    between(retry, 'Attempts', 1, 10, report, 'Properties.RetryStrategy');
    within(Array.isArray(retry.EvaluateOnExit) ? retry.EvaluateOnExit.length : 0, 5, 'conditions', (message) =>
      report('Properties.RetryStrategy.EvaluateOnExit', message),
    );
    if (isRecord(properties.Timeout)) {
      between(properties.Timeout, 'AttemptDurationSeconds', 60, 14 * 86_400, report, 'Properties.Timeout');
    }
    const container = isRecord(properties.ContainerProperties) ? properties.ContainerProperties : {};
    if (isRecord(container.EphemeralStorage)) {
      between(
        container.EphemeralStorage,
        'SizeInGiB',
        21,
        200,
        report,
        'Properties.ContainerProperties.EphemeralStorage',
      );
    }
  },
  'AWS::Batch::JobQueue': ({ ComputeEnvironmentOrder }, report) =>
    within(Array.isArray(ComputeEnvironmentOrder) ? ComputeEnvironmentOrder.length : 0, 3, 'environments', (message) =>
      report('Properties.ComputeEnvironmentOrder', message),
    ),
  'AWS::DynamoDB::Table': ({ GlobalSecondaryIndexes }, report) =>
    within(Array.isArray(GlobalSecondaryIndexes) ? GlobalSecondaryIndexes.length : 0, 20, 'indexes', (message) =>
      report('Properties.GlobalSecondaryIndexes', message),
    ),
};

/** The role's own policies and those attached to it by AWS::IAM::Policy count together. */
function checkInlinePolicies(
  template: Template,
  roleId: string,
  role: TemplateResource,
  report: (path: string, message: string) => void,
): void {
  const own = Array.isArray(role.Properties?.Policies) ? role.Properties.Policies.filter(isRecord) : [];
  const attached = Object.values(template.Resources)
    .filter(
      ({ Type, Properties }) =>
        Type === 'AWS::IAM::Policy' && JSON.stringify(Properties?.Roles).includes(`"${roleId}"`),
    )
    .map(({ Properties = {} }) => Properties);
  const size = [...own, ...attached].reduce((sum, { PolicyDocument }) => sum + policySize(PolicyDocument), 0);
  within(size, LIMITS.inlinePolicies, 'characters', (message) => report('Properties.Policies', message));
}

function within(count: number, most: number, unit: string, report: (message: string) => void): void {
  if (count > most) report(`${count} ${unit} are more than the ${most} allowed`);
}

function between(
  properties: Record<string, unknown>,
  name: string,
  least: number,
  most: number,
  report: (path: string, message: string) => void,
  path = 'Properties',
): void {
  const value = properties[name];
  if (typeof value === 'number' && (value < least || value > most)) {
    report(`${path}.${name}`, `must be from ${least} to ${most}, not ${value}`);
  }
}

function policySize(document: unknown): number {
  return JSON.stringify(withStandIns(document)).length;
}

/** The value as deployed, with intrinsic functions replaced by text of their possible length. */
function withStandIns(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withStandIns);
  if (!isRecord(value)) return value;
  if ('Ref' in value) return 'x'.repeat(REF_LENGTH);
  if ('Fn::GetAtt' in value) return 'x'.repeat(ATTRIBUTE_LENGTH);
  const join = value['Fn::Join'];
  if (Array.isArray(join)) return (withStandIns(join[1]) as unknown[]).join(String(join[0]));
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withStandIns(inner)]));
}
