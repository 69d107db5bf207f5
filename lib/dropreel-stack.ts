import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { Api } from './api/api.ts';
import { Delivery } from './delivery/delivery.ts';
import { Encode } from './encode/encode.ts';
import { Track } from './encode/track.ts';
import { Ingest } from './ingest/ingest.ts';
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
    const delivery = new Delivery(this, 'Delivery', props, storage.media);
    const encode = new Encode(this, 'Encode', props, storage);
    const publish = new Publish(this, 'Publish', props, storage);
    const track = new Track(this, 'Track', props, { storage, encode, publish });
    const ingest = new Ingest(this, 'Ingest', props, { storage, encode });
    const webhooks = new Webhooks(this, 'Webhooks', props, storage);
    new Sweep(this, 'Sweep', props, { storage, encode, ingest, publish });
    const api = new Api(this, 'Api', props, { storage, encode, ingest, track, publish, webhooks, delivery });
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
      WebhookQueueUrl: webhooks.work.queue.queueUrl,
      ...(api.identity && { TokenUrl: api.identity.tokenUrl, MachineClientId: api.identity.machineClientId }),
    });
  }

  private output(values: Record<string, string>): void {
    for (const [name, value] of Object.entries(values)) new CfnOutput(this, name, { value }).overrideLogicalId(name);
  }
}
