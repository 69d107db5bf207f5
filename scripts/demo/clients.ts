import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Cloud } from '../../local/boot.ts';
import { REGION } from '../../local/kernel/account.ts';

/** SDK clients of this machine's developer, who may do everything. */
export function developerClients(cloud: Pick<Cloud, 'endpoint' | 'credentials'>) {
  const config = { endpoint: cloud.endpoint, region: REGION, credentials: cloud.credentials };
  return {
    s3: new S3Client({ ...config, forcePathStyle: true }),
    table: DynamoDBDocumentClient.from(new DynamoDBClient(config)),
  };
}
