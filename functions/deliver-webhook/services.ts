import type { SQSClient } from '@aws-sdk/client-sqs';
import type { Table } from '../../aws/table.ts';
import type { TargetRules } from '../../core/webhooks/target.ts';

export interface DeliveryServices {
  table: Table;
  sqs: SQSClient;
  queueUrl: string;
  rules: TargetRules;
  /** How many of one creator's deliveries may be attempted at once. */
  atOnce: number;
}
