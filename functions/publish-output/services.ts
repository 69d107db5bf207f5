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
  graceHours: number;
}

/** Until when a version that has just been replaced stays. */
export function graceUntil(services: PublishServices, now: string): string {
  return new Date(Date.parse(now) + services.graceHours * 3_600_000).toISOString();
}
