import { BatchClient } from '@aws-sdk/client-batch';
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import { ApiEnv } from '../../core/contracts/env.ts';
import { tableNamed } from '../shared/clients.ts';
import { environment } from '../shared/environment.ts';
import { lambda } from '../shared/stack.ts';
import { engineFrom } from '../shared/submit-job.ts';
import { createApi } from './app.ts';

const env = environment(ApiEnv);
const table = tableNamed(env.TABLE_NAME);

/** Every request of the HTTP API. */
export const handler = lambda(
  createApi({
    env,
    table,
    // A presigned PUT must not sign the checksum of a body that is not there yet.
    s3: new S3Client({ requestChecksumCalculation: 'WHEN_REQUIRED' }),
    sqs: new SQSClient({}),
    engine: engineFrom(table, new BatchClient({}), env),
  }),
);
