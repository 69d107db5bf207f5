/** Alarms and graphs of AWS's own metrics: the API, the queues, CloudFront, the table and Lambda's loop guard. */
import { Aws, CfnCondition, Duration, Fn } from 'aws-cdk-lib';
import type { IHttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import type { Distribution } from 'aws-cdk-lib/aws-cloudfront';
import {
  type ComparisonOperator,
  GraphWidget,
  type IMetric,
  Metric,
  Stats,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import type { HandlerFunction } from '../parts/handler-function.ts';

const PERIOD = Duration.minutes(5);
/** A single 500 is in the log; this many within 5 minutes are an outage. */
const API_ERRORS = 3;
const API_SLOW = Duration.seconds(10);
/** Percent of the answers to viewers. */
const CDN_ERRORS = 5;
/**
 * CloudFront reports its metrics in one region only.
 * https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/programming-cloudwatch-metrics.html
 */
const CLOUDFRONT_REGION = 'us-east-1';

export interface Platform {
  httpApi: Pick<IHttpApi, 'apiId'>;
  distribution: Distribution;
  table: Table;
  publishOutput: HandlerFunction;
  /** By name; each with the age at which its oldest message is too old. */
  queues: Record<string, { queue: Queue; tooOld: Duration }>;
  functions: HandlerFunction[];
}

/** When an alarm goes off. */
export interface AlarmCondition {
  metric: IMetric;
  threshold: number;
  evaluationPeriods?: number;
  datapointsToAlarm?: number;
  comparisonOperator?: ComparisonOperator;
  treatMissingData?: TreatMissingData;
}

export interface PlatformAlarm extends AlarmCondition {
  name: string;
  meaning: string;
  /** The alarm exists only where this condition holds. */
  only?: CfnCondition;
}

/** @param scope of a condition: alarms watch metrics of their own region only */
export function platformAlarms(scope: Construct, platform: Platform): PlatformAlarm[] {
  const { queues, functions } = platform;
  const inUsEast1 = new CfnCondition(scope, 'CountsCloudFront', {
    expression: Fn.conditionEquals(Aws.REGION, CLOUDFRONT_REGION),
  });
  return [
    {
      name: 'api-errors',
      meaning: `${API_ERRORS} calls of the API or more ended with a 5xx within 5 minutes`,
      metric: apiMetric(platform, '5xx', Stats.SUM),
      threshold: API_ERRORS,
    },
    {
      name: 'api-slow',
      meaning: 'For 15 minutes one in a hundred calls of the API has taken 10 seconds or more',
      metric: apiMetric(platform, 'Latency', 'p99'),
      threshold: API_SLOW.toMilliseconds(),
      evaluationPeriods: 3,
    },
    ...Object.entries(queues).map(([name, { queue, tooOld }]) => ({
      name: `${name}-waiting`,
      meaning: `The oldest message of ${name} waits for ${tooOld.toHours()} hours or more`,
      metric: queue.metricApproximateAgeOfOldestMessage({ period: PERIOD, statistic: Stats.MAXIMUM }),
      threshold: tooOld.toSeconds(),
    })),
    {
      name: 'delivery-errors',
      meaning: `For 15 minutes ${CDN_ERRORS} of a hundred answers of CloudFront or more have been a 5xx`,
      metric: cdnMetric(platform, '5xxErrorRate'),
      threshold: CDN_ERRORS,
      evaluationPeriods: 3,
      only: inUsEast1,
    },
    ...(['Read', 'Write'] as const).map((kind) => ({
      name: `table-${kind.toLowerCase()}s-throttled`,
      meaning: `For 15 minutes DynamoDB has refused ${kind.toLowerCase()}s of the table`,
      metric: tableMetric(platform, `${kind}ThrottleEvents`),
      threshold: 1,
      evaluationPeriods: 3,
    })),
    ...functions.map(({ handler, fn }) => ({
      name: `${handler}-loop-stopped`,
      meaning: `Lambda took ${handler} for an endless loop and stopped it`,
      metric: fn.metric('RecursiveInvocationsDropped', { period: PERIOD, statistic: Stats.SUM }),
      threshold: 1,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    })),
  ];
}

/** Two graphs a row, as those of the dashboard's other rows. */
export function platformGraphs(platform: Platform): GraphWidget[][] {
  const { fn } = platform.publishOutput;
  const graph = (title: string, left: IMetric[], region?: string) =>
    new GraphWidget({ title, left, width: 12, ...(region && { region }) });
  return [
    [
      graph(
        'API: calls, errors',
        ['Count', '4xx', '5xx'].map((name) => apiMetric(platform, name, Stats.SUM)),
      ),
      graph(
        'API: latency',
        ['p50', 'p99'].map((statistic) => apiMetric(platform, 'Latency', statistic)),
      ),
    ],
    [
      graph(
        'Delivery: share of errors',
        ['4xxErrorRate', '5xxErrorRate'].map((name) => cdnMetric(platform, name)),
        CLOUDFRONT_REGION,
      ),
      graph('Delivery: requests', [cdnMetric(platform, 'Requests', Stats.SUM)], CLOUDFRONT_REGION),
    ],
    [
      graph(
        'Table: used',
        ['Read', 'Write'].map((kind) => tableMetric(platform, `Consumed${kind}CapacityUnits`)),
      ),
      graph(
        'Table: refused',
        ['Read', 'Write'].map((kind) => tableMetric(platform, `${kind}ThrottleEvents`)),
      ),
    ],
    [
      graph(
        'Publishing: duration',
        ['p50', 'p99'].map((statistic) => fn.metricDuration({ period: PERIOD, statistic })),
      ),
      graph('Workers: vCPUs under way', [workerMetric('vCPU', 'OnDemand'), workerMetric('vCPU', 'Spot')]),
    ],
  ];
}

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html */
function apiMetric({ httpApi }: Platform, metricName: string, statistic: string): IMetric {
  const dimensionsMap = { ApiId: httpApi.apiId };
  return new Metric({ namespace: 'AWS/ApiGateway', metricName, dimensionsMap, statistic, period: PERIOD });
}

function cdnMetric({ distribution }: Platform, metricName: string, statistic: string = Stats.AVERAGE): IMetric {
  const dimensionsMap = { DistributionId: distribution.distributionId, Region: 'Global' };
  return new Metric({ namespace: 'AWS/CloudFront', metricName, dimensionsMap, statistic, period: PERIOD });
}

function tableMetric({ table }: Platform, metricName: string): IMetric {
  const dimensionsMap = { TableName: table.tableName };
  return new Metric({ namespace: 'AWS/DynamoDB', metricName, dimensionsMap, statistic: Stats.SUM, period: PERIOD });
}

/**
 * AWS Batch has no metrics; Fargate's use against its quota is counted for the account.
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/monitoring-fargate-usage.html
 */
function workerMetric(metricName: string, kind: 'OnDemand' | 'Spot'): IMetric {
  return new Metric({
    namespace: 'AWS/Usage',
    metricName: 'ResourceCount',
    dimensionsMap: { Service: 'Fargate', Type: 'Resource', Resource: metricName, Class: `Standard/${kind}` },
    statistic: Stats.MAXIMUM,
    period: PERIOD,
    label: kind,
  });
}
