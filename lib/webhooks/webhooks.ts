import { Duration, Validations } from 'aws-cdk-lib';
import { EventSourceMapping, FilterCriteria, FilterRule, StartingPosition } from 'aws-cdk-lib/aws-lambda';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { DETAIL, SOURCE } from '../../core/contracts/events.ts';
import { allow } from '../parts/allow.ts';
import { HandlerFunction } from '../parts/handler-function.ts';
import { consume, mayConsume } from '../parts/queue-consumer.ts';
import { routeEvents } from '../parts/route-events.ts';
import type { Surroundings } from '../parts/surroundings.ts';
import { deadLetterQueue, WorkQueue } from '../parts/work-queue.ts';
import type { Storage } from '../storage/storage.ts';

/** A receiver has 10 s to answer; a batch of one holds all endpoints of its creator, at most 10. */
const DELIVERY_TIMEOUT = Duration.minutes(2);

/** Table stream → announce-change → bus → queue → deliver-webhook → the creators' endpoints. */
export class Webhooks extends Construct {
  readonly work: WorkQueue;
  readonly undelivered: Queue;
  readonly announceChange: HandlerFunction;
  readonly deliverWebhook: HandlerFunction;

  constructor(scope: Construct, id: string, surroundings: Surroundings, { table, bus }: Storage) {
    super(scope, id);
    this.undelivered = deadLetterQueue(this, 'Undelivered');
    this.announceChange = new HandlerFunction(this, 'AnnounceChange', {
      surroundings,
      handler: 'announce-change',
      timeout: Duration.seconds(30),
      memorySize: 256,
      environment: { BUS_NAME: bus.eventBusName },
      permissions: [
        allow('events', ['PutEvents'], bus.eventBusArn),
        allow('sqs', ['SendMessage'], this.undelivered.queueArn),
        allow('dynamodb', ['DescribeStream', 'GetRecords', 'GetShardIterator'], table.tableStreamArn ?? ''),
        // ListStreams takes no resource.
        allow('dynamodb', ['ListStreams'], '*'),
      ],
    });
    Validations.of(this.announceChange.role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'dynamodb:ListStreams takes no resource',
    });
    const mediaRow = { type: { S: FilterRule.isEqual('media') } };
    new EventSourceMapping(this.announceChange, 'Changes', {
      target: this.announceChange.fn,
      ...(table.tableStreamArn && { eventSourceArn: table.tableStreamArn }),
      startingPosition: StartingPosition.TRIM_HORIZON,
      batchSize: 100,
      bisectBatchOnError: true,
      reportBatchItemFailures: true,
      retryAttempts: 10,
      // SqsDlq would grant what the role has already.
      onFailure: { bind: () => ({ destination: this.undelivered.queueArn }) },
      filters: [
        FilterCriteria.filter({ dynamodb: { NewImage: mediaRow } }),
        FilterCriteria.filter({ dynamodb: { OldImage: mediaRow } }),
      ],
    });
    this.work = new WorkQueue(this, 'Work', DELIVERY_TIMEOUT);
    this.deliverWebhook = new HandlerFunction(this, 'DeliverWebhook', {
      surroundings,
      handler: 'deliver-webhook',
      timeout: DELIVERY_TIMEOUT,
      memorySize: 256,
      environment: { TABLE_NAME: table.tableName, WEBHOOK_QUEUE_URL: this.work.queue.queueUrl },
      permissions: [
        mayConsume(this.work.queue),
        allow('sqs', ['SendMessage'], this.work.queue.queueArn),
        allow('dynamodb', ['GetItem', 'PutItem', 'UpdateItem', 'Query'], table.tableArn),
      ],
    });
    consume(this.deliverWebhook, this.work.queue, 1);
    routeEvents(
      this,
      'MediaStateChanged',
      { source: [SOURCE.pipeline], detailType: [DETAIL.mediaChanged] },
      this.work,
      bus,
    );
  }
}
