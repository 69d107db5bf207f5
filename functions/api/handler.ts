import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { STSClient } from '@aws-sdk/client-sts';
import { secretReader } from '../../aws/secrets.ts';
import { ApiEnv } from '../../core/contracts/env.ts';
import { connectEngines } from '../../engines/registry.ts';
import { tableNamed } from '../shared/clients.ts';
import { environment } from '../shared/environment.ts';
import { lambda } from '../shared/observability.ts';
import { createApi } from './app.ts';
import { keyFrom } from './playback.ts';
import { workerS3 } from './worker-s3.ts';

/** A new secret is in use everywhere after this time; until then some functions sign with the one before. */
const KEY_LIFE_MS = 5 * 60_000;

const env = environment(ApiEnv);
const table = tableNamed(env.TABLE_NAME);

/** Every request of the HTTP API. */
export const handler = lambda(
  createApi({
    env,
    table,
    // A presigned PUT must not sign the checksum of a body that does not exist yet.
    s3: new S3Client({ requestChecksumCalculation: 'WHEN_REQUIRED' }),
    sqs: new SQSClient({}),
    cloudwatch: new CloudWatchClient({}),
    playbackKey:
      env.PLAYBACK_KEYS && env.PLAYBACK_SECRET
        ? keyFrom(secretReader(new SecretsManagerClient({}), env.PLAYBACK_SECRET, KEY_LIFE_MS), env.PLAYBACK_KEYS)
        : undefined,
    engines: connectEngines(process.env),
    workerS3:
      env.HTTP_ENGINE_ROLE_ARN === undefined ? undefined : workerS3(new STSClient({}), env.HTTP_ENGINE_ROLE_ARN),
  }),
);
