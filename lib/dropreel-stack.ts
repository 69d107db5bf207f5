import { type CfnElement, CfnOutput, Duration, Stack, type StackProps, Validations } from 'aws-cdk-lib';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import {
  ARCHIVE_FILES,
  ARCHIVE_PREFIX,
  CLAIM_FILE,
  DROP_PREFIX,
  OUTPUT_KEYS,
  POINTER_KEYS,
  PREPARED_FILE,
  PUBLISHED_KEYS,
  RESULT_FILE,
  SOURCE_FILE,
  TMP_PREFIX,
} from '../core/contracts/keys.ts';
import { Api } from './api/api.ts';
import { Cdn } from './cdn/cdn.ts';
import type { Configuration } from './configuration.ts';
import { Engines } from './engines/engines.ts';
import { Ingest } from './ingest/ingest.ts';
import { Monitoring } from './monitoring/monitoring.ts';
import { Pages } from './pages/pages.ts';
import type { StageProps } from './parts/stage-props.ts';
import { Publish } from './publish/publish.ts';
import { Storage } from './storage/storage.ts';
import { Sweep } from './sweep/sweep.ts';
import { Track } from './track/track.ts';
import { Webhooks } from './webhooks/webhooks.ts';

/** `Dropreel`, `Dropreel-staging`. */
export function stackNameOf({ name }: Configuration): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}

/** All of dropreel, for any account and region. */
export class DropreelStack extends Stack {
  constructor(scope: Construct, id: string, props: StackProps & StageProps) {
    super(scope, id, { ...props, description: 'dropreel: dropped files become streams' });
    const storage = new Storage(this, 'Storage', props);
    acknowledgePrefixes(storage);
    const cdn = new Cdn(this, 'Delivery', props, storage.media);
    const engines: Engines = new Engines(this, props, storage, () => api.url);
    const ingest = new Ingest(this, 'Ingest', props, { storage, engines });
    const publish = new Publish(this, 'Publish', props, { storage, ingest });
    const track = new Track(this, 'Track', props, { storage, engines, ingest, publish });
    const webhooks = new Webhooks(this, 'Webhooks', props, storage);
    const sweep = new Sweep(this, 'Sweep', props, { storage, engines, ingest, publish, webhooks });
    const api: Api = new Api(this, 'Api', props, { storage, engines, ingest, track, publish, webhooks, cdn });
    const pages = new Pages(this, 'Pages', props, { storage, api, cdn });
    const monitoring = new Monitoring(this, 'Monitoring', props, {
      queues: [
        ingest.work.queue,
        track.work.queue,
        publish.work.queue,
        webhooks.changes.queue,
        webhooks.deliveries.queue,
      ],
      deadLetters: {
        ingest: ingest.work.deadLetters,
        track: track.work.deadLetters,
        publish: publish.work.deadLetters,
        changes: webhooks.changes.deadLetters,
        webhooks: webhooks.deliveries.deadLetters,
        announcements: webhooks.undelivered,
        sweep: sweep.missed,
      },
      functions: [
        ingest.ingestUpload,
        track.trackJob,
        publish.publishOutput,
        webhooks.announceChange,
        webhooks.fanOutChange,
        webhooks.deliverWebhook,
        sweep.sweep,
        api.api,
        pages.servePages,
      ],
      deciders: [track.trackJob, publish.publishOutput, sweep.sweep],
      ingestUpload: ingest.ingestUpload,
      sweep: sweep.sweep,
      announceChange: webhooks.announceChange,
      gpus: Boolean(props.configuration.gpuEngine ?? props.configuration.httpEngine),
      platform: {
        httpApi: api.httpApi,
        distribution: cdn.distribution,
        table: storage.table,
        publishOutput: publish.publishOutput,
        // Longer than a message that failed once, or waits for its turn, stays invisible.
        queues: {
          ingest: { queue: ingest.work.queue, tooOld: Duration.hours(1) },
          track: { queue: track.work.queue, tooOld: Duration.hours(1) },
          publish: { queue: publish.work.queue, tooOld: Duration.hours(3) },
          changes: { queue: webhooks.changes.queue, tooOld: Duration.hours(1) },
          webhooks: { queue: webhooks.deliveries.queue, tooOld: Duration.hours(1) },
        },
        functions: [publish.publishOutput, webhooks.deliverWebhook],
      },
    });
    this.output({
      UploadsBucket: storage.uploads.bucketName,
      MediaBucket: storage.media.bucketName,
      Table: storage.table.tableName,
      Bus: storage.bus.eventBusName,
      ApiUrl: api.url,
      DeliveryUrl: cdn.url,
      ConsoleUrl: `${cdn.url}/console/`,
      ...(props.configuration.deliveryDomain && { DeliveryTarget: cdn.distribution.distributionDomainName }),
      ...(api.domain && { ApiTarget: api.domain.regionalDomainName }),
      ...engines.outputs,
      IngestQueueUrl: ingest.work.queue.queueUrl,
      TrackQueueUrl: track.work.queue.queueUrl,
      PublishQueueUrl: publish.work.queue.queueUrl,
      AlarmTopic: monitoring.topic.topicArn,
      WebhookQueueUrl: webhooks.deliveries.queue.queueUrl,
      ...api.identity?.outputs,
    });
  }

  private output(values: Record<string, string>): void {
    for (const [name, value] of Object.entries(values)) new CfnOutput(this, name, { value }).overrideLogicalId(name);
  }
}

/** Permissions on objects name a prefix of keys. These are all prefixes in use, and any other wildcard is a finding. */
function acknowledgePrefixes({ uploads, media }: Storage): void {
  const stack = Stack.of(uploads);
  const arn = (bucket: IBucket) => `<${stack.getLogicalId(bucket.node.defaultChild as CfnElement)}.Arn>`;
  const wildcards = {
    [`${arn(uploads)}/${DROP_PREFIX}*`]: 'Any upload',
    [`${arn(uploads)}/${ARCHIVE_PREFIX}*`]: 'Any copy of the archive',
    ...Object.fromEntries(
      ARCHIVE_FILES.map((file) => [`${arn(media)}/${TMP_PREFIX}*/${file}`, 'The copy that any job has made']),
    ),
    [`${arn(media)}/${TMP_PREFIX}*`]: 'The output of any job',
    [`${arn(media)}/${TMP_PREFIX}*/${RESULT_FILE}`]: 'The result of any job',
    [`${arn(media)}/${TMP_PREFIX}*/${CLAIM_FILE}`]: 'The claim of any job',
    [`${arn(media)}/${TMP_PREFIX}*/${PREPARED_FILE}`]: 'What was prepared of any job',
    [`${arn(media)}/${TMP_PREFIX}*/${SOURCE_FILE}`]: 'The prepared source of any job',
    ...Object.fromEntries(OUTPUT_KEYS.map((keys) => [`${arn(media)}/${keys}`, 'The outputs of any media'])),
    ...Object.fromEntries(POINTER_KEYS.map((keys) => [`${arn(media)}/${keys}`, 'The pointers of any media'])),
    ...Object.fromEntries(
      PUBLISHED_KEYS.map((keys) => [`${arn(media)}/${keys}`, 'The published objects of any media']),
    ),
  };
  for (const [resource, reason] of Object.entries(wildcards)) {
    Validations.of(stack).acknowledge({ id: `AwsSolutions-IAM5[Resource::${resource}]`, reason });
  }
}
