import { ArnFormat, Stack } from 'aws-cdk-lib';
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { ARCHIVE_PREFIX, DROP_PREFIX } from '../../core/contracts/keys.ts';
import type { Cdn } from '../cdn/cdn.ts';
import type { Configuration } from '../configuration.ts';
import type { Engines } from '../engines/engines.ts';
import type { Ingest } from '../ingest/ingest.ts';
import { allow } from '../parts/allow.ts';
import { capVariable } from '../parts/cap.ts';
import { logGroupName } from '../parts/log-group.ts';
import type { Publish } from '../publish/publish.ts';
import { indexArn, type Storage } from '../storage/storage.ts';
import type { Track } from '../track/track.ts';
import type { Webhooks } from '../webhooks/webhooks.ts';

/** The stages that the API reads or gives work to. */
export interface ApiStages {
  storage: Storage;
  engines: Engines;
  ingest: Ingest;
  track: Track;
  publish: Publish;
  webhooks: Webhooks;
  cdn: Cdn;
}

/** ApiEnv of core/contracts/env.ts. */
export function apiEnvironment(configuration: Configuration, stages: ApiStages): Record<string, string> {
  return {
    ...stages.engines.environment,
    TABLE_NAME: stages.storage.table.tableName,
    UPLOADS_BUCKET: stages.storage.uploads.bucketName,
    MEDIA_BUCKET: stages.storage.media.bucketName,
    PUBLISH_QUEUE_URL: stages.publish.work.queue.queueUrl,
    INGEST_QUEUE_URL: stages.ingest.work.queue.queueUrl,
    TRACK_QUEUE_URL: stages.track.work.queue.queueUrl,
    CHANGE_QUEUE_URL: stages.webhooks.changes.queue.queueUrl,
    WEBHOOK_QUEUE_URL: stages.webhooks.deliveries.queue.queueUrl,
    DELIVERY_URL: stages.cdn.url,
    WORKER_LOG_GROUP: logGroupName(configuration, 'worker'),
    MAX_API_UPLOAD_BYTES: String(configuration.maxApiUploadBytes ?? configuration.maxUploadBytes),
    MAX_UPLOAD_BYTES: String(configuration.maxUploadBytes),
    ALLOWED_CONTENT_TYPES: configuration.allowedContentTypes.join(','),
    MAX_ATTEMPTS: String(configuration.maxAttempts),
    MAX_UPLOADS_PER_DAY: String(configuration.maxUploadsPerDay),
    MAX_MINUTES_PER_DAY: String(configuration.maxMinutesPerDay),
    ...capVariable(configuration),
    ...claims(configuration),
    ...(configuration.cookieDomain && { COOKIE_DOMAIN: configuration.cookieDomain }),
    ...playbackKey(configuration, stages.cdn),
  };
}

/** Cognito's access tokens have `username` for people only, and `custom:creator` where a trigger of yours adds it. */
const OWN_POOL_CREATOR = ['custom:creator', 'username', 'sub'];

function claims(configuration: Configuration): Record<string, string> {
  const { jwtIssuer, jwtScopeClaim, jwtCreatorClaim, jwtCreatorScopes, jwtOperatorScopes } = configuration;
  return {
    JWT_SCOPE_CLAIMS: jwtScopeClaim.join(' '),
    // With another issuer, users may be able to choose their `username`.
    JWT_CREATOR_CLAIMS: (jwtCreatorClaim ?? (jwtIssuer ? ['sub'] : OWN_POOL_CREATOR)).join(' '),
    JWT_CREATOR_SCOPES: jwtCreatorScopes.join(' '),
    JWT_OPERATOR_SCOPES: jwtOperatorScopes.join(' '),
  };
}

/** The function fetches the private key when it starts: neither the template nor a function's configuration has it. */
function playbackKey({ playbackPrivateKeySecret }: Configuration, cdn: Cdn): Record<string, string> {
  if (!playbackPrivateKeySecret || !cdn.playbackKeyIds) return {};
  return { PLAYBACK_KEYS: cdn.playbackKeyIds, PLAYBACK_SECRET: playbackPrivateKeySecret };
}

/** Secrets Manager ends an ARN with a hyphen and six characters: https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_iam-policies.html */
function mayReadKey(scope: Construct, { playbackPrivateKeySecret: name }: Configuration): PolicyStatement[] {
  if (!name) return [];
  const arn = Stack.of(scope).formatArn({
    service: 'secretsmanager',
    resource: 'secret',
    resourceName: `${name}-??????`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  return [allow('secretsmanager', ['GetSecretValue'], arn)];
}

export function apiPermissions(
  scope: Construct,
  configuration: Configuration,
  { storage, engines, ingest, track, publish, webhooks }: ApiStages,
): PolicyStatement[] {
  const { table, uploads } = storage;
  const queues = [ingest.work, track.work, publish.work, webhooks.changes, webhooks.deliveries];
  return [
    ...mayReadKey(scope, configuration),
    ...engines.permissionsOf('api'),
    allow(
      'sqs',
      ['SendMessage'],
      [track.work, publish.work, webhooks.deliveries].map(({ queue }) => queue.queueArn),
    ),
    allow(
      'sqs',
      ['GetQueueAttributes'],
      queues.flatMap(({ queue, deadLetters }) => [queue.queueArn, deadLetters.queueArn]),
    ),
    // It takes no resource.
    allow('cloudwatch', ['GetMetricData'], '*'),
    allow(
      'dynamodb',
      ['GetItem', 'BatchGetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'ConditionCheckItem', 'Query'],
      table.tableArn,
    ),
    allow(
      'dynamodb',
      ['Query'],
      [indexArn(table, 'byCreator'), indexArn(table, 'byCollection'), indexArn(table, 'todo')],
    ),
    allow(
      's3',
      ['PutObject', 'GetObject', 'AbortMultipartUpload', 'ListMultipartUploadParts'],
      uploads.arnForObjects(`${DROP_PREFIX}*`),
    ),
    // Whether an original is there that is to be put back, and whether the upload of a retry is in an archive.
    allow(
      's3',
      ['GetObjectVersion'],
      [DROP_PREFIX, ARCHIVE_PREFIX].map((prefix) => uploads.arnForObjects(`${prefix}*`)),
    ),
    // To find out which version is the newest when a media item is marked for deletion.
    allow('s3', ['ListBucketVersions'], uploads.bucketArn, { StringLike: { 's3:prefix': `${DROP_PREFIX}*` } }),
  ];
}
