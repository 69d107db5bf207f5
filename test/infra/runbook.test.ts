import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { ERRORS } from '../../core/contracts/errors.ts';
import { METRICS } from '../../core/contracts/metrics.ts';
import { synthesize } from './synthesize.ts';

let runbook: string;
let template: Awaited<ReturnType<typeof synthesize>>['template'];
beforeAll(async () => {
  runbook = await readFile(join(import.meta.dirname, '../../docs/runbook.md'), 'utf8');
  // With every alarm that there is.
  ({ template } = await synthesize({ gpuEngine: { maxVcpus: 8 } }));
});

describe('the runbook', () => {
  it('has a heading for each alarm, and for nothing else of that name', () => {
    const headings = [...runbook.matchAll(/^## (dropreel-\S+)$/gm)].map(([, name]) => name);
    const alarms = Object.values(template.findResources('AWS::CloudWatch::Alarm')).map(
      ({ Properties }) => Properties.AlarmName,
    );
    expect(headings.toSorted()).toEqual(alarms.toSorted());
  });

  it('describes under each heading the meaning, the diagnosis and the action', () => {
    const sections = runbook.split(/^#+ /m).filter((section) => section.startsWith('dropreel-'));
    const incomplete = sections.filter((section) => !/\*\*Means\*\*[\s\S]*\*\*Look\*\*[\s\S]*\*\*Do\*\*/.test(section));
    expect(sections.length).toBeGreaterThan(0);
    expect(incomplete).toEqual([]);
  });

  it('lists every error code as the code has it', () => {
    const rows = runbook.split('\n').filter((line) => /^\| `\w+` \| (yes|no) \|/.test(line));
    expect(rows).toEqual(
      Object.entries(ERRORS).map(
        ([code, { transient, when, action }]) => `| \`${code}\` | ${transient ? 'yes' : 'no'} | ${when} | ${action} |`,
      ),
    );
  });
});

describe('the alarms', () => {
  it('watch the dead letters of every queue, stream and schedule', () => {
    const queues = Object.entries(template.findResources('AWS::SQS::Queue'));
    const deadLetters = queues.filter(([, { Properties }]) => !Properties.RedrivePolicy).map(([id]) => id);
    const watched = Object.values(template.findResources('AWS::CloudWatch::Alarm'))
      .filter(({ Properties }) => Properties.MetricName === 'ApproximateNumberOfMessagesVisible')
      .map(({ Properties }) => Properties.Dimensions[0].Value['Fn::GetAtt'][0]);
    expect(deadLetters).toHaveLength(7);
    expect(watched.toSorted()).toEqual(deadLetters.toSorted());
  });

  it('notify the topic, and the topic notifies the address of the configuration', async () => {
    const topic = [{ Ref: Object.keys(template.findResources('AWS::SNS::Topic'))[0] }];
    template.allResourcesProperties('AWS::CloudWatch::Alarm', { AlarmActions: topic, OKActions: topic });
    template.resourceCountIs('AWS::SNS::Subscription', 0);
    const { template: withAddress } = await synthesize({ alarmEmail: 'ops@example.com' });
    withAddress.hasResourceProperties('AWS::SNS::Subscription', { Protocol: 'email', Endpoint: 'ops@example.com' });
  });

  it('may publish to the topic, of this account and of these names only', () => {
    const [{ Properties } = {}] = Object.values(template.findResources('AWS::SNS::TopicPolicy'));
    const [deny, allow, ...others] = Properties.PolicyDocument.Statement;
    expect(others).toEqual([]);
    expect(deny).toMatchObject({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } });
    expect(allow).toMatchObject({
      Effect: 'Allow',
      Principal: { Service: 'cloudwatch.amazonaws.com' },
      Action: 'sns:Publish',
      Condition: {
        StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } },
        ArnLike: { 'aws:SourceArn': { 'Fn::Join': ['', expect.arrayContaining([':alarm:dropreel-*'])] } },
      },
    });
  });

  const named = (name: string) =>
    Object.values(
      template.findResources('AWS::CloudWatch::Alarm', { Properties: { AlarmName: `dropreel-${name}` } }),
    )[0];

  it("watch the API, every queue, the table, delivery and Lambda's guard", () => {
    const watched = Object.values(template.findResources('AWS::CloudWatch::Alarm')).map(
      ({ Properties }) => `${Properties.Namespace} ${Properties.MetricName}`,
    );
    const count = (metric: string) => watched.filter((one) => one === metric).length;
    const queues = Object.values(template.findResources('AWS::SQS::Queue'));
    const read = queues.filter(({ Properties }) => Properties.RedrivePolicy).length;
    expect(count('AWS/SQS ApproximateAgeOfOldestMessage')).toBe(read);
    expect(count('AWS/ApiGateway 5xx')).toBe(1);
    expect(count('AWS/ApiGateway Latency')).toBe(1);
    expect(count('AWS/CloudFront 5xxErrorRate')).toBe(1);
    expect(count('AWS/DynamoDB ReadThrottleEvents')).toBe(1);
    expect(count('AWS/DynamoDB WriteThrottleEvents')).toBe(1);
    expect(count('AWS/Lambda RecursiveInvocationsDropped')).toBe(2);
  });

  it('watch delivery where CloudFront counts, in us-east-1', () => {
    const condition = named('delivery-errors')?.Condition;
    expect(template.toJSON().Conditions[condition]).toEqual({ 'Fn::Equals': [{ Ref: 'AWS::Region' }, 'us-east-1'] });
  });

  it('are silent before the first run of sweep, and not after it has stopped', () => {
    const topic = [{ Ref: Object.keys(template.findResources('AWS::SNS::Topic'))[0] }];
    expect(named('sweep-not-run')?.Properties).toMatchObject({
      TreatMissingData: 'missing',
      InsufficientDataActions: topic,
    });
  });

  it('of the cost notify the topic where an amount is configured', async () => {
    template.resourceCountIs('AWS::Budgets::Budget', 0);
    const { template: watched } = await synthesize({ monthlyBudgetUsd: 50 });
    const Subscribers = [
      { SubscriptionType: 'SNS', Address: { Ref: Object.keys(watched.findResources('AWS::SNS::Topic'))[0] } },
    ];
    watched.hasResourceProperties('AWS::Budgets::Budget', {
      Budget: { BudgetType: 'COST', TimeUnit: 'MONTHLY', BudgetLimit: { Amount: 50, Unit: 'USD' } },
      NotificationsWithSubscribers: [
        { Notification: { NotificationType: 'ACTUAL', Threshold: 80 }, Subscribers },
        { Notification: { NotificationType: 'FORECASTED', Threshold: 100 }, Subscribers },
      ],
    });
    const [{ Properties } = {}] = Object.values(watched.findResources('AWS::SNS::TopicPolicy'));
    // As AWS has it: https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-sns-policy.html
    const budgets = ['arn:', { Ref: 'AWS::Partition' }, ':budgets::', { Ref: 'AWS::AccountId' }, ':*'];
    expect(Properties.PolicyDocument.Statement).toContainEqual({
      Sid: 'BudgetsMayPublish',
      Effect: 'Allow',
      Principal: { Service: 'budgets.amazonaws.com' },
      Action: 'sns:Publish',
      Resource: Subscribers[0]?.Address,
      Condition: {
        StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } },
        ArnLike: { 'aws:SourceArn': { 'Fn::Join': ['', budgets] } },
      },
    });
  });

  it('watch the metrics that the functions write, by the name of each function', () => {
    const [escalated] = Object.values(
      template.findResources('AWS::CloudWatch::Alarm', { Properties: { AlarmName: 'dropreel-escalated' } }),
    );
    const metrics = escalated?.Properties.Metrics.flatMap(
      ({ MetricStat }: { MetricStat?: { Metric: unknown } }) => MetricStat?.Metric ?? [],
    );
    expect(metrics).toHaveLength(3);
    expect(metrics).toContainEqual({
      Namespace: 'dropreel',
      MetricName: 'Escalated',
      Dimensions: [{ Name: 'service', Value: 'track-job' }],
    });
  });
});

describe('the dashboard', () => {
  it('is text that CloudWatch can read, of metrics of AWS and of the product alone', () => {
    const [{ Properties } = {}] = Object.values(template.findResources('AWS::CloudWatch::Dashboard'));
    const [separator, parts] = Properties.DashboardBody['Fn::Join'];
    const body = parts.map((part: unknown) => (typeof part === 'string' ? part : 'known-when-deployed'));
    const { widgets } = JSON.parse(body.join(separator));
    const shown = new Set<string>();
    for (const { properties } of widgets) {
      // A row is [namespace, metric, …dimensions, options]; `.` repeats the row before, an expression has no namespace.
      let row: unknown[] = [];
      for (const given of properties.metrics as unknown[][]) {
        row = given.map((cell, i) => (cell === '.' ? row[i] : cell));
        if (typeof row[0] === 'string') shown.add(`${row[0]} ${row[1]}`);
      }
    }
    const own = Object.values(METRICS).map((metric) => `dropreel ${metric}`);
    expect([...shown].sort()).toEqual(
      [
        ...own,
        'AWS/ApiGateway 4xx',
        'AWS/ApiGateway 5xx',
        'AWS/ApiGateway Count',
        'AWS/ApiGateway Latency',
        'AWS/CloudFront 4xxErrorRate',
        'AWS/CloudFront 5xxErrorRate',
        'AWS/CloudFront Requests',
        'AWS/DynamoDB ConsumedReadCapacityUnits',
        'AWS/DynamoDB ConsumedWriteCapacityUnits',
        'AWS/DynamoDB ReadThrottleEvents',
        'AWS/DynamoDB WriteThrottleEvents',
        'AWS/Lambda Duration',
        'AWS/Lambda Errors',
        'AWS/Lambda Throttles',
        'AWS/SQS ApproximateAgeOfOldestMessage',
        'AWS/SQS ApproximateNumberOfMessagesVisible',
        'AWS/Usage ResourceCount',
      ].sort(),
    );
  });
});
