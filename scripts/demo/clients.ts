import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { DEVELOPER, REGION } from '../../local/account.ts';
import type { Cloud } from '../../local/boot.ts';

/** SDK clients of the developer at this machine, who may do everything. */
export function developerClients(cloud: Pick<Cloud, 'endpoint'>) {
  const config = { endpoint: cloud.endpoint, region: REGION, credentials: DEVELOPER };
  return {
    s3: new S3Client({ ...config, forcePathStyle: true }),
    table: DynamoDBDocumentClient.from(new DynamoDBClient(config)),
  };
}
