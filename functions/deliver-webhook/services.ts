import type { SQSClient } from '@aws-sdk/client-sqs';
import type { Table } from '../../aws/table.ts';
import type { TargetRules } from '../../core/webhooks/target.ts';

export interface Services {
  table: Table;
  sqs: SQSClient;
  queueUrl: string;
  rules: TargetRules;
}
