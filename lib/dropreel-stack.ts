import { type CfnElement, CfnOutput, Stack, type StackProps, Validations } from 'aws-cdk-lib';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { CLAIM_FILE, DROP_PREFIX, OUTPUT_KEYS, POINTER_KEYS, RESULT_FILE, TMP_PREFIX } from '../core/contracts/keys.ts';
import { Api } from './api/api.ts';
import { Delivery } from './delivery/delivery.ts';
import { Encode } from './encode/encode.ts';
import { Track } from './encode/track.ts';
import { Ingest } from './ingest/ingest.ts';
import { Monitoring } from './monitoring/monitoring.ts';
import type { Surroundings } from './parts/surroundings.ts';
import { Publish } from './publish/publish.ts';
import { Storage } from './storage/storage.ts';
import { Sweep } from './sweep/sweep.ts';
import { Webhooks } from './webhooks/webhooks.ts';

/** All of dropreel, for any account and region. */
export class DropreelStack extends Stack {
  constructor(scope: Construct, id: string, props: StackProps & Surroundings) {
    super(scope, id, { ...props, description: 'dropreel: dropped files become streams' });
    const storage = new Storage(this, 'Storage');
    acknowledgePrefixes(storage);
    const delivery = new Delivery(this, 'Delivery', props, storage.media);
    const encode = new Encode(this, 'Encode', props, storage);
    const publish = new Publish(this, 'Publish', props, storage);
    const track = new Track(this, 'Track', props, { storage, encode, publish });
    const ingest = new Ingest(this, 'Ingest', props, { storage, encode });
    const webhooks = new Webhooks(this, 'Webhooks', props, storage);
    const sweep = new Sweep(this, 'Sweep', props, { storage, encode, ingest, publish });
    const api = new Api(this, 'Api', props, { storage, encode, ingest, track, publish, webhooks, delivery });
    const monitoring = new Monitoring(this, 'Monitoring', props, {
      queues: [ingest.work.queue, track.work.queue, publish.work.queue, webhooks.work.queue],
      deadLetters: {
        ingest: ingest.work.deadLetters,
        track: track.work.deadLetters,
        publish: publish.work.deadLetters,
        webhooks: webhooks.work.deadLetters,
        announcements: webhooks.undelivered,
        sweep: sweep.missed,
      },
      functions: [
        ingest.ingestUpload,
        track.trackJob,
        publish.publishOutput,
        webhooks.announceChange,
        webhooks.deliverWebhook,
        sweep.sweep,
        api.api,
      ],
      deciders: [track.trackJob, publish.publishOutput, sweep.sweep],
      ingestUpload: ingest.ingestUpload,
      sweep: sweep.sweep,
      announceChange: webhooks.announceChange,
    });
    this.output({
      UploadsBucket: storage.uploads.bucketName,
      MediaBucket: storage.media.bucketName,
      Table: storage.table.tableName,
      Bus: storage.bus.eventBusName,
      ApiUrl: api.url,
      DeliveryUrl: delivery.url,
      JobQueue: encode.jobQueueArn,
      RetranscodeJobQueue: encode.retranscodeJobQueueArn,
      JobDefinition: encode.jobDefinitionArn,
      IngestQueueUrl: ingest.work.queue.queueUrl,
      TrackQueueUrl: track.work.queue.queueUrl,
      PublishQueueUrl: publish.work.queue.queueUrl,
      AlarmTopic: monitoring.topic.topicArn,
      WebhookQueueUrl: webhooks.work.queue.queueUrl,
      ...(api.identity && {
        TokenUrl: api.identity.tokenUrl,
        MachineClientId: api.identity.machineClientId,
        PeopleClientId: api.identity.peopleClientId,
      }),
    });
  }

  private output(values: Record<string, string>): void {
    for (const [name, value] of Object.entries(values)) new CfnOutput(this, name, { value }).overrideLogicalId(name);
  }
}

/** Permissions on objects name a prefix of keys; these are all that there are, and any other wildcard is a finding. */
function acknowledgePrefixes({ uploads, media }: Storage): void {
  const stack = Stack.of(uploads);
  const arn = (bucket: IBucket) => `<${stack.getLogicalId(bucket.node.defaultChild as CfnElement)}.Arn>`;
  const wildcards = {
    [`${arn(uploads)}/${DROP_PREFIX}*`]: 'Any upload',
    [`${arn(media)}/${TMP_PREFIX}*`]: 'The output of any job',
    [`${arn(media)}/${TMP_PREFIX}*/${RESULT_FILE}`]: 'The result of any job',
    [`${arn(media)}/${TMP_PREFIX}*/${CLAIM_FILE}`]: 'The claim of any job',
    ...Object.fromEntries(OUTPUT_KEYS.map((keys) => [`${arn(media)}/${keys}`, 'The outputs of any media'])),
    ...Object.fromEntries(POINTER_KEYS.map((keys) => [`${arn(media)}/${keys}`, 'The pointers of any media'])),
    [`${arn(media)}/*`]: 'Published objects, whose keys begin with the id of their creator',
  };
  for (const [resource, reason] of Object.entries(wildcards)) {
    Validations.of(stack).acknowledge({ id: `AwsSolutions-IAM5[Resource::${resource}]`, reason });
  }
}
