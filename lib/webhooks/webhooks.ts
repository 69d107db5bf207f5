import { Duration, Validations } from 'aws-cdk-lib';
import { EventSourceMapping, FilterCriteria, FilterRule, StartingPosition } from 'aws-cdk-lib/aws-lambda';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { DETAIL, SOURCE } from '../../core/contracts/events.ts';
import { PARTITIONS } from '../../core/contracts/table/keys.ts';
import { allow, allowEvents, allowRows } from '../parts/allow.ts';
import { HandlerFunction } from '../parts/handler-function.ts';
import { consume, mayConsume } from '../parts/queue-consumer.ts';
import { routeEvents } from '../parts/route-events.ts';
import type { StageProps } from '../parts/stage-props.ts';
import { deadLetterQueue, WorkQueue } from '../parts/work-queue.ts';
import type { Storage } from '../storage/storage.ts';

/** A receiver has 10 s to answer, and a batch is attempted at once. */
const DELIVERY_TIMEOUT = Duration.seconds(30);
/** Simultaneous attempts of one execution. */
const DELIVERIES = 10;

const CHANGES_TIMEOUT = Duration.minutes(1);
/** Changes counted together, in one transaction for each creator. */
const CHANGES = 100;
const CHANGES_WINDOW = Duration.seconds(1);

/** The minimum that SQS allows, because parallel counts contend for the same rows. docs/decisions/0200-stats.md */
const FEW = 2;

/** The partitions of the counts, and of what is learnt from the jobs that are counted. */
const COUNT_PARTITIONS = [
  PARTITIONS.counts,
  PARTITIONS.shares,
  PARTITIONS.health,
  PARTITIONS.engines,
  PARTITIONS.costs,
];

/**
 * Table stream → announce-change → bus → queue → fan-out-change, which counts, and makes deliveries → their own queue → deliver-webhook →
 * the creators' endpoints.
 */
export class Webhooks extends Construct {
  readonly changes: WorkQueue;
  readonly deliveries: WorkQueue;
  readonly undelivered: Queue;
  readonly announceChange: HandlerFunction;
  readonly fanOutChange: HandlerFunction;
  readonly deliverWebhook: HandlerFunction;

  constructor(scope: Construct, id: string, stageProps: StageProps, { table, bus }: Storage) {
    super(scope, id);
    this.undelivered = deadLetterQueue(this, 'Undelivered');
    this.announceChange = new HandlerFunction(this, 'AnnounceChange', {
      stageProps,
      handler: 'announce-change',
      timeout: Duration.seconds(30),
      memorySize: 256,
      environment: { BUS_NAME: bus.eventBusName },
      permissions: [
        allowEvents(bus, SOURCE.pipeline, [DETAIL.mediaChanged, DETAIL.countsChanged]),
        allow('sqs', ['SendMessage'], this.undelivered.queueArn),
        allow('dynamodb', ['DescribeStream', 'GetRecords', 'GetShardIterator'], table.tableStreamArn ?? ''),
        // ListStreams accepts no resource.
        allow('dynamodb', ['ListStreams'], '*'),
      ],
    });
    Validations.of(this.announceChange.role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'dynamodb:ListStreams takes no resource',
    });
    const jobWithCost = { type: { S: FilterRule.isEqual('job') }, cost: { M: { usd: { N: FilterRule.exists() } } } };
    const mediaRow = { type: { S: FilterRule.isEqual('media') } };
    new EventSourceMapping(this.announceChange, 'Changes', {
      target: this.announceChange.fn,
      ...(table.tableStreamArn && { eventSourceArn: table.tableStreamArn }),
      startingPosition: StartingPosition.TRIM_HORIZON,
      batchSize: 100,
      bisectBatchOnError: true,
      reportBatchItemFailures: true,
      // Retried until the record expires, a day later: an outage of EventBridge loses no change.
      retryAttempts: -1,
      // SqsDlq would grant what the role has already.
      onFailure: { bind: () => ({ destination: this.undelivered.queueArn }) },
      filters: [
        FilterCriteria.filter({ dynamodb: { NewImage: mediaRow } }),
        FilterCriteria.filter({ dynamodb: { OldImage: mediaRow } }),
        FilterCriteria.filter({ dynamodb: { NewImage: jobWithCost } }),
      ],
    });
    this.changes = new WorkQueue(this, 'Changes', CHANGES_TIMEOUT);
    this.deliveries = new WorkQueue(this, 'Deliveries', DELIVERY_TIMEOUT);
    this.fanOutChange = new HandlerFunction(this, 'FanOutChange', {
      stageProps,
      handler: 'fan-out-change',
      timeout: CHANGES_TIMEOUT,
      memorySize: 512,
      environment: { TABLE_NAME: table.tableName, WEBHOOK_QUEUE_URL: this.deliveries.queue.queueUrl },
      permissions: [
        mayConsume(this.changes.queue),
        allow('sqs', ['SendMessage'], this.deliveries.queue.queueArn),
        allowRows(table, ['Query'], [PARTITIONS.webhooks]),
        allowRows(table, ['GetItem', 'PutItem'], [PARTITIONS.deliveries]),
        allowRows(table, ['BatchGetItem'], [PARTITIONS.media]),
        allowRows(table, ['GetItem', 'BatchGetItem', 'PutItem', 'UpdateItem'], COUNT_PARTITIONS),
      ],
    });
    consume(this.fanOutChange, this.changes.queue, { batchSize: CHANGES, window: CHANGES_WINDOW, maxConcurrency: FEW });
    this.deliverWebhook = new HandlerFunction(this, 'DeliverWebhook', {
      stageProps,
      handler: 'deliver-webhook',
      timeout: DELIVERY_TIMEOUT,
      memorySize: 256,
      sendsToItself: true,
      environment: {
        TABLE_NAME: table.tableName,
        WEBHOOK_QUEUE_URL: this.deliveries.queue.queueUrl,
        MAX_DELIVERIES_AT_ONCE: String(stageProps.configuration.maxDeliveriesAtOnce),
      },
      permissions: [
        mayConsume(this.deliveries.queue),
        allow('sqs', ['SendMessage'], this.deliveries.queue.queueArn),
        allowRows(table, ['GetItem', 'UpdateItem'], [PARTITIONS.webhooks]),
        allowRows(table, ['GetItem', 'Query', 'UpdateItem', 'DeleteItem'], [PARTITIONS.deliveries]),
      ],
    });
    consume(this.deliverWebhook, this.deliveries.queue, {
      batchSize: DELIVERIES,
      maxConcurrency: stageProps.configuration.concurrency.deliveries,
    });
    routeEvents(
      this,
      'MediaChanged',
      { source: [SOURCE.pipeline], detailType: [DETAIL.mediaChanged, DETAIL.countsChanged] },
      this.changes,
      bus,
    );
  }
}
