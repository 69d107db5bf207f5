import { ArnFormat, Stack } from 'aws-cdk-lib';
import { Dashboard, GraphWidget, type IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import { Effect, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { type ITopic, Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { METRICS } from '../../core/contracts/metrics.ts';
import type { StageProps } from '../parts/stage-props.ts';
import { Alarms, ownMetric, sumOf, type Watched } from './alarms.ts';
import { watchCost } from './budget.ts';
import { platformGraphs } from './platform.ts';

/** The alarms, their topic, and the dashboard. */
export class Monitoring extends Construct {
  readonly topic: ITopic;

  constructor(scope: Construct, id: string, stageProps: StageProps, watched: Watched & { queues: Queue[] }) {
    super(scope, id);
    const { alarmEmail, monthlyBudgetUsd, name } = stageProps.configuration;
    const topic = new Topic(this, 'Topic', { displayName: `${name} alarms`, enforceSSL: true });
    topic.addToResourcePolicy(alarmsMayPublish(topic, name));
    if (alarmEmail) topic.addSubscription(new EmailSubscription(alarmEmail));
    if (monthlyBudgetUsd) watchCost(this, topic, monthlyBudgetUsd);
    this.topic = topic as ITopic;
    new Alarms(this, 'Alarms', name, this.topic, watched);
    const { functions, queues } = watched;
    const graph = (title: string, left: IMetric[]) => new GraphWidget({ title, left, width: 12 });
    new Dashboard(this, 'Dashboard', {
      dashboardName: name,
      widgets: [
        [
          graph(
            'What the functions count',
            Object.values(METRICS).map((metric) => ownMetric(metric, functions)),
          ),
          graph('Errors, throttles', [
            sumOf(
              'Errors',
              functions.map(({ fn }) => fn.metricErrors()),
            ),
            sumOf(
              'Throttles',
              functions.map(({ fn }) => fn.metricThrottles()),
            ),
          ]),
        ],
        [
          graph(
            'Waiting messages',
            queues.map((queue) => queue.metricApproximateNumberOfMessagesVisible()),
          ),
          graph(
            'Age of the oldest message',
            queues.map((queue) => queue.metricApproximateAgeOfOldestMessage()),
          ),
        ],
        ...platformGraphs(watched.platform),
      ],
    });
  }
}

/**
 * A custom policy, as the one that refuses plain HTTP, replaces the topic's default policy, which lets alarms of the account publish:
 * without this statement every alarm's action fails, and nobody is notified.
 * https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html
 */
function alarmsMayPublish(topic: Topic, deployment: string): PolicyStatement {
  const { account } = Stack.of(topic);
  const alarms = Stack.of(topic).formatArn({
    service: 'cloudwatch',
    resource: 'alarm',
    resourceName: `${deployment}-*`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  return new PolicyStatement({
    sid: 'AlarmsMayPublish',
    effect: Effect.ALLOW,
    principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
    actions: ['sns:Publish'],
    resources: [topic.topicArn],
    conditions: { StringEquals: { 'aws:SourceAccount': account }, ArnLike: { 'aws:SourceArn': alarms } },
  });
}
