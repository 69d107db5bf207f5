import { Duration } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  type IMetric,
  MathExpression,
  Metric,
  Stats,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { METRIC_NAMESPACE, METRICS } from '../../core/contracts/metrics.ts';
import type { HandlerFunction } from '../parts/handler-function.ts';
import { SWEEP_MINUTES } from '../sweep/sweep.ts';

const PERIOD = Duration.minutes(5);
/** One broken file is its uploader's business; this many in an hour are the operator's. */
const FAILED_JOBS_PER_HOUR = 5;
const STREAM_DELAY = Duration.minutes(10);

/** What the alarms watch. The keys of `deadLetters` become part of the alarm's name. */
export interface Watched {
  deadLetters: Record<string, Queue>;
  functions: HandlerFunction[];
  /** Those that end jobs: the only ones that count failed and escalated jobs. */
  deciders: HandlerFunction[];
  ingestUpload: HandlerFunction;
  sweep: HandlerFunction;
  announceChange: HandlerFunction;
}

/** Each alarm has a heading of its name in docs/runbook.md; a test holds the two equal. */
export class Alarms extends Construct {
  readonly #topic: ITopic;

  constructor(scope: Construct, id: string, topic: ITopic, watched: Watched) {
    super(scope, id);
    this.#topic = topic;
    for (const [name, queue] of Object.entries(watched.deadLetters)) {
      this.#alarm(`${name}-dead-letters`, `Messages that ${name} could not handle wait for an operator`, {
        metric: queue.metricApproximateNumberOfMessagesVisible({ period: PERIOD, statistic: Stats.MAXIMUM }),
        threshold: 1,
      });
    }
    this.#alarm('escalated', 'A failure that no user can mend', {
      metric: ownMetric(METRICS.escalated, watched.deciders),
      threshold: 1,
    });
    this.#alarm('jobs-failed', `${FAILED_JOBS_PER_HOUR} jobs or more failed within an hour`, {
      metric: ownMetric(METRICS.jobFailed, watched.deciders, Duration.hours(1)),
      threshold: FAILED_JOBS_PER_HOUR,
    });
    this.#alarm('bad-key', 'An object lies under drop/ whose key names no creator, so nobody is told of it', {
      metric: ownMetric(METRICS.badKey, [watched.ingestUpload]),
      threshold: 1,
    });
    this.#alarm('sweep-not-run', 'sweep has not run for 15 minutes', {
      metric: watched.sweep.fn.metricInvocations({ period: Duration.minutes(SWEEP_MINUTES) }),
      threshold: 1,
      evaluationPeriods: 3,
      comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
      treatMissingData: TreatMissingData.BREACHING,
    });
    this.#alarm('function-errors', 'A function ended with an error or ran out of time', {
      metric: sumOf(
        'Errors',
        watched.functions.map(({ fn }) => fn.metricErrors()),
      ),
      threshold: 1,
    });
    this.#alarm('function-throttles', 'Lambda refused to run a function for 15 minutes', {
      metric: sumOf(
        'Throttles',
        watched.functions.map(({ fn }) => fn.metricThrottles()),
      ),
      threshold: 1,
      evaluationPeriods: 3,
    });
    this.#alarm('announcements-delayed', 'Changes of media wait in the stream of the table', {
      metric: watched.announceChange.fn.metric('IteratorAge', { period: PERIOD, statistic: Stats.MAXIMUM }),
      threshold: STREAM_DELAY.toMilliseconds(),
    });
  }

  #alarm(
    name: string,
    meaning: string,
    condition: {
      metric: IMetric;
      threshold: number;
      evaluationPeriods?: number;
      comparisonOperator?: ComparisonOperator;
      treatMissingData?: TreatMissingData;
    },
  ): void {
    new Alarm(this, name, {
      alarmName: `dropreel-${name}`,
      alarmDescription: `${meaning}. See docs/runbook.md, dropreel-${name}.`,
      evaluationPeriods: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      ...condition,
    }).addAlarmAction(new SnsAction(this.#topic));
  }
}

/** A metric of core/contracts/metrics.ts, whichever function wrote it. */
export function ownMetric(metricName: string, functions: HandlerFunction[], period = PERIOD): IMetric {
  const namespace = METRIC_NAMESPACE;
  const ofFunction = ({ handler }: HandlerFunction) =>
    new Metric({ namespace, metricName, dimensionsMap: { service: handler }, statistic: Stats.SUM });
  return sumOf(metricName, functions.map(ofFunction), period);
}

/** The label names the sum in a graph. An alarm takes an expression over 10 metrics at most. */
export function sumOf(label: string, metrics: IMetric[], period = PERIOD): IMetric {
  const id = label.toLowerCase();
  const usingMetrics = Object.fromEntries(metrics.map((metric, i) => [`${id}${i}`, metric]));
  const expression = `SUM([${Object.keys(usingMetrics).join(',')}])`;
  return new MathExpression({ expression, usingMetrics, period, label });
}
