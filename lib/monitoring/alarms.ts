import { type CfnCondition, type CfnResource, Duration } from 'aws-cdk-lib';
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
import { METRICS } from '../../core/contracts/metrics.ts';
import { SWEEP_MINUTES } from '../../core/contracts/timing.ts';
import type { HandlerFunction } from '../parts/handler-function.ts';
import { type AlarmCondition, type Platform, platformAlarms } from './platform.ts';

const PERIOD = Duration.minutes(5);
/** One broken file concerns its uploader; this many in an hour concern the operator. */
const FAILED_JOBS_PER_HOUR = 5;
/** Some sources are none for a GPU; this many mean that the hosts are at fault, and are paid for in vain. */
const GPUS_UNUSED_PER_HOUR = 10;
const STREAM_DELAY = Duration.minutes(10);
/** A single error among many runs needs no attention, because its message is retried. */
const FUNCTION_ERRORS = 3;

/** What the alarms watch. The keys of `deadLetters` become part of the alarm's name. */
export interface Watched {
  deadLetters: Record<string, Queue>;
  functions: HandlerFunction[];
  /** The functions that end jobs: the only ones that count failed and escalated jobs. */
  deciders: HandlerFunction[];
  ingestUpload: HandlerFunction;
  sweep: HandlerFunction;
  announceChange: HandlerFunction;
  platform: Platform;
  /** Whether any of the workers may have a GPU. */
  gpus: boolean;
}

/** Each alarm has a heading of its default name in docs/runbook.md; a test holds the two equal. */
export class Alarms extends Construct {
  readonly #deployment: string;
  readonly #topic: ITopic;

  /** @param deployment the name of the configuration, with which each alarm's begins; the topic's policy lets only those publish */
  constructor(scope: Construct, id: string, deployment: string, topic: ITopic, watched: Watched) {
    super(scope, id);
    this.#deployment = deployment;
    this.#topic = topic;
    for (const [name, queue] of Object.entries(watched.deadLetters)) {
      this.#alarm(`${name}-dead-letters`, `Messages that ${name} could not handle wait for an operator`, {
        metric: queue.metricApproximateNumberOfMessagesVisible({ period: PERIOD, statistic: Stats.MAXIMUM }),
        threshold: 1,
      });
    }
    this.#alarm('escalated', 'A failure that no user can correct', {
      metric: ownMetric(METRICS.escalated, watched.deciders),
      threshold: 1,
    });
    this.#alarm('jobs-failed', `${FAILED_JOBS_PER_HOUR} jobs or more failed within an hour`, {
      metric: ownMetric(METRICS.jobFailed, watched.deciders, Duration.hours(1)),
      threshold: FAILED_JOBS_PER_HOUR,
    });
    this.#alarm('bad-key', 'An object is under drop/ whose key names no creator, so no one is notified', {
      metric: ownMetric(METRICS.badKey, [watched.ingestUpload]),
      threshold: 1,
    });
    this.#alarm('environment-invalid', 'AWS Batch cannot use a compute environment', {
      // Longer than the time between two checks, so that it stays on until a check finds none.
      metric: ownMetric(METRICS.environmentInvalid, [watched.sweep], Duration.minutes(2 * SWEEP_MINUTES)),
      threshold: 1,
    });
    if (watched.gpus) {
      this.#alarm('gpu-unused', `${GPUS_UNUSED_PER_HOUR} jobs or more were encoded beside their GPU within an hour`, {
        metric: ownMetric(METRICS.gpuUnused, watched.deciders, Duration.hours(1)),
        threshold: GPUS_UNUSED_PER_HOUR,
      });
    }
    // Without data it has no state, as in a fresh install before the first run: data that stops raises it, data that never began does
    // not.
    const sweepNotRun = this.#alarm('sweep-not-run', 'sweep has not run for 15 minutes', {
      // Not the function's invocations, because the end of a re-transcode causes one too.
      metric: ownMetric(METRICS.swept, [watched.sweep], Duration.minutes(SWEEP_MINUTES)),
      threshold: 1,
      evaluationPeriods: 3,
      comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
      treatMissingData: TreatMissingData.MISSING,
    });
    sweepNotRun.addInsufficientDataAction(new SnsAction(topic));
    this.#alarm(
      'function-errors',
      `${FUNCTION_ERRORS} runs of functions or more failed or ran out of time, twice in 15 minutes`,
      {
        metric: sumOf(
          'Errors',
          watched.functions.map(({ fn }) => fn.metricErrors()),
        ),
        threshold: FUNCTION_ERRORS,
        evaluationPeriods: 3,
        datapointsToAlarm: 2,
      },
    );
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
    for (const { name, meaning, only, ...condition } of platformAlarms(this, watched.platform)) {
      this.#alarm(name, meaning, condition, only);
    }
  }

  #alarm(name: string, meaning: string, condition: AlarmCondition, only?: CfnCondition): Alarm {
    const alarm = new Alarm(this, name, {
      alarmName: `${this.#deployment}-${name}`,
      alarmDescription: `${meaning}. See docs/runbook.md, dropreel-${name}.`,
      evaluationPeriods: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      ...condition,
    });
    const tell = new SnsAction(this.#topic);
    alarm.addAlarmAction(tell);
    // So that the people who were alerted know when it is over.
    alarm.addOkAction(tell);
    if (only) (alarm.node.defaultChild as CfnResource).cfnOptions.condition = only;
    return alarm;
  }
}

/** A metric of core/contracts/metrics.ts, whichever function wrote it. */
export function ownMetric(metricName: string, functions: HandlerFunction[], period = PERIOD): IMetric {
  const ofFunction = ({ handler, namespace }: HandlerFunction) =>
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
