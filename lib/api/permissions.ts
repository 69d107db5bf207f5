import { SecretValue } from 'aws-cdk-lib';
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { DROP_PREFIX } from '../../core/contracts/keys.ts';
import type { Configuration } from '../configuration.ts';
import type { Delivery } from '../delivery/delivery.ts';
import type { Encode } from '../encode/encode.ts';
import type { Track } from '../encode/track.ts';
import type { Ingest } from '../ingest/ingest.ts';
import { allow } from '../parts/allow.ts';
import type { Publish } from '../publish/publish.ts';
import { indexArn, type Storage } from '../storage/storage.ts';
import type { Webhooks } from '../webhooks/webhooks.ts';

/** The stages that the API looks at or gives work to. */
export interface ApiStages {
  storage: Storage;
  encode: Encode;
  ingest: Ingest;
  track: Track;
  publish: Publish;
  webhooks: Webhooks;
  delivery: Delivery;
}

/** ApiEnv of core/contracts/env.ts. */
export function apiEnvironment(configuration: Configuration, stages: ApiStages): Record<string, string> {
  return {
    ...stages.encode.environment,
    TABLE_NAME: stages.storage.table.tableName,
    UPLOADS_BUCKET: stages.storage.uploads.bucketName,
    MEDIA_BUCKET: stages.storage.media.bucketName,
    PUBLISH_QUEUE_URL: stages.publish.work.queue.queueUrl,
    INGEST_QUEUE_URL: stages.ingest.work.queue.queueUrl,
    TRACK_QUEUE_URL: stages.track.work.queue.queueUrl,
    WEBHOOK_QUEUE_URL: stages.webhooks.work.queue.queueUrl,
    DELIVERY_URL: stages.delivery.url,
    MAX_API_UPLOAD_BYTES: String(configuration.maxApiUploadBytes),
    MAX_UPLOAD_BYTES: String(configuration.maxUploadBytes),
    ALLOWED_CONTENT_TYPES: configuration.allowedContentTypes.join(','),
    MAX_ATTEMPTS: String(configuration.maxAttempts),
    GRACE_HOURS: String(configuration.graceHours),
    ...playbackKey(configuration, stages.delivery),
  };
}

/** CloudFormation reads the secret when it deploys: neither the template nor a role of ours has it. */
function playbackKey({ playbackPrivateKeySecret }: Configuration, delivery: Delivery): Record<string, string> {
  if (!playbackPrivateKeySecret || !delivery.playbackKeyId) return {};
  return {
    PLAYBACK_KEY_PAIR_ID: delivery.playbackKeyId,
    PLAYBACK_PRIVATE_KEY: SecretValue.secretsManager(playbackPrivateKeySecret).unsafeUnwrap(),
  };
}

export function apiPermissions({ storage, encode, ingest, track, publish, webhooks }: ApiStages): PolicyStatement[] {
  const { table, uploads } = storage;
  const queues = [ingest.work, track.work, publish.work, webhooks.work];
  return [
    encode.maySubmit(),
    allow(
      'sqs',
      ['SendMessage'],
      [track, publish, webhooks].map(({ work }) => work.queue.queueArn),
    ),
    allow(
      'sqs',
      ['GetQueueAttributes'],
      queues.flatMap(({ queue, deadLetters }) => [queue.queueArn, deadLetters.queueArn]),
    ),
    allow('dynamodb', ['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'Query'], table.tableArn),
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
  ];
}
