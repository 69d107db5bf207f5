import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { BatchClient } from '@aws-sdk/client-batch';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { ApiEnv } from '../../core/contracts/env.ts';
import { createApi } from './app.ts';

const env = ApiEnv.parse(process.env);
const log = new Logger();
const metrics = new Metrics();

export const handler = createApi({
  env,
  table: {
    client: DynamoDBDocumentClient.from(new DynamoDBClient({}), { marshallOptions: { removeUndefinedValues: true } }),
    name: env.TABLE_NAME,
  },
  // A presigned PUT must not sign the checksum of a body that is not there yet.
  s3: new S3Client({ requestChecksumCalculation: 'WHEN_REQUIRED' }),
  sqs: new SQSClient({}),
  batch: new BatchClient({}),
  count: (metric) => {
    metrics.addMetric(metric, MetricUnit.Count, 1);
    metrics.publishStoredMetrics();
  },
  log: {
    debug: (message, ...more) => log.debug(message, { more }),
    info: (message, ...more) => log.info(message, { more }),
    warn: (message, ...more) => log.warn(message, { more }),
    error: (message, ...more) => log.error(message, { more }),
  },
});
