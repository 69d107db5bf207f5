import { Dashboard, GraphWidget, type IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import { type ITopic, Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { METRICS } from '../../core/contracts/metrics.ts';
import type { Surroundings } from '../parts/surroundings.ts';
import { Alarms, ownMetric, sumOf, type Watched } from './alarms.ts';

/** Alarms, the topic that they tell, and one page to look at. */
export class Monitoring extends Construct {
  readonly topic: ITopic;

  constructor(scope: Construct, id: string, surroundings: Surroundings, watched: Watched & { queues: Queue[] }) {
    super(scope, id);
    const { alarmEmail } = surroundings.configuration;
    const topic = new Topic(this, 'Topic', { displayName: 'dropreel alarms', enforceSSL: true });
    if (alarmEmail) topic.addSubscription(new EmailSubscription(alarmEmail));
    this.topic = topic as ITopic;
    new Alarms(this, 'Alarms', this.topic, watched);
    const { functions, queues } = watched;
    const graph = (title: string, left: IMetric[]) => new GraphWidget({ title, left, width: 12 });
    new Dashboard(this, 'Dashboard', {
      dashboardName: 'dropreel',
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
      ],
    });
  }
}
