import type { S3Client } from '@aws-sdk/client-s3';
import type { SQSClient } from '@aws-sdk/client-sqs';
import type { Table } from '../../aws/table.ts';

export interface PublishServices {
  table: Table;
  s3: S3Client;
  sqs: SQSClient;
  mediaBucket: string;
  uploadsBucket: string;
  publishQueueUrl: string;
  ingestQueueUrl: string;
  /** How long a version stays after it was replaced. */
  graceHours: number;
}
