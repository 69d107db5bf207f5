import { readFile } from 'node:fs/promises';
import { ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Bucket, type IBucket } from 'aws-cdk-lib/aws-s3';
import { expect, test } from 'vitest';
import { MediaConvertEngine } from '../../lib/engines/mediaconvert/mediaconvert.ts';
import { eventually } from '../../local/test/support/eventually.ts';
import { input, sound, streams } from '../../local/test/support/mediaconvert-request.ts';
import { makeMedia, startWorld } from '../../local/test/support/mediaconvert-world.ts';
import { signedFetch } from '../../local/test/support/signed-fetch.ts';
import { developer, type SmallCloud, smallCloud } from '../../local/test/support/small-cloud.ts';

const QUEUES = { JobQueue: 'arn:q:new', RetranscodeJobQueue: 'arn:q:again', OnDemandJobQueue: 'arn:q:sure' };
const DEFINITION = 'arn:aws:batch:us-east-1:123456789012:job-definition/transcoder:7';

function synthesized() {
  const stack = new Stack(new App({ context: { '@aws-cdk/core:bootstrapQualifier': 'x' } }), 'Stack');
  const bucket = (bucketName: string) => new Bucket(stack, bucketName, { bucketName }) as IBucket;
  const engine = new MediaConvertEngine(stack, 'MediaConvert', {
    media: bucket('media-1'),
    workers: { queues: QUEUES, definition: DEFINITION, anyRevision: DEFINITION.replace(/7$/, '*') },
  });
  return { engine, stack, resources: Template.fromStack(stack).toJSON().Resources as Record<string, object> };
}

test('a function that submits passes the role to MediaConvert alone, and only to jobs of this queue', () => {
  const { engine, stack } = synthesized();
  const statements = stack.resolve(
    engine.grants['track-job'].statements.slice(0, 2).map((statement) => statement.toJSON()),
  );
  expect(statements).toEqual([
    {
      Effect: 'Allow',
      Action: 'mediaconvert:CreateJob',
      Resource: stack.resolve(engine.environment.MEDIACONVERT_QUEUE),
    },
    {
      Effect: 'Allow',
      Action: 'iam:PassRole',
      Resource: stack.resolve(engine.environment.MEDIACONVERT_ROLE),
      Condition: { StringEquals: { 'iam:PassedToService': 'mediaconvert.amazonaws.com' } },
    },
  ]);
});

interface Ended {
  status: string;
  errorCode?: number;
  errorMessage?: string;
}

/** Runs a job of sound alone with the first queue and role of the stack. */
async function run({ cloud }: SmallCloud, from: string, to: string, queue = 'own'): Promise<Ended> {
  const alone = sound();
  Object.assign(alone.containerSettings.cmfcSettings, { audioTrackType: 'AUDIO_ONLY_VARIANT_STREAM' });
  const group = streams(alone);
  group.outputGroupSettings.cmafGroupSettings.destination = to;
  const { QueueArn = '', RoleArn = '' } = cloud.outputs;
  const request = {
    role: RoleArn,
    queue: queue === 'own' ? QueueArn : queue,
    settings: { inputs: [{ ...input(), fileInput: from, videoSelector: undefined }], outputGroups: [group] },
  };
  const call = async (method: string, path: string, body?: object) => {
    const sent = { service: 'mediaconvert', method, path: `/2017-08-29${path}`, ...(body && { body }) };
    return ((await signedFetch(cloud.endpoint, cloud.credentials, sent)).body as { job: Ended & { id: string } }).job;
  };
  const { id } = await call('POST', '/jobs', request);
  return eventually(`the job from ${from} to ${to} has ended`, async () => {
    const now = await call('GET', `/jobs/${id}`);
    return ['COMPLETE', 'ERROR'].includes(now.status) && now;
  });
}

test("MediaConvert reads what was prepared and writes under tmp/ with the job's role, nothing else, and for its own queue alone", async () => {
  await using world = await startWorld({ stopped: true });
  await makeMedia(world, 's3://uploads/sound.mp3', '-f', 'lavfi', '-i', 'sine=d=1');
  const { engine, stack, resources } = synthesized();
  const { MEDIACONVERT_QUEUE, MEDIACONVERT_ROLE } = engine.environment;
  const outputs = {
    QueueArn: { Value: stack.resolve(MEDIACONVERT_QUEUE) },
    RoleArn: { Value: stack.resolve(MEDIACONVERT_ROLE) },
  };
  await using small = await smallCloud({ resources, outputs });
  const s3 = new S3Client({ ...developer(small.cloud), forcePathStyle: true });
  const Body = await readFile(world.pathOf('s3://uploads/sound.mp3'));
  for (const Key of ['tmp/job/source', 'tmp/job/other']) {
    await s3.send(new PutObjectCommand({ Bucket: 'media-1', Key, Body }));
  }
  const [source, to] = ['s3://media-1/tmp/job/source', 's3://media-1/tmp/job/encode-1/stream'];

  expect(await run(small, source, to)).toMatchObject({ status: 'COMPLETE' });
  const written = async () =>
    ((await s3.send(new ListObjectsV2Command({ Bucket: 'media-1' }))).Contents ?? []).map(({ Key }) => Key);
  const made = [
    ...['stream.m3u8', 'stream_sound.cmfa', 'stream_sound.m3u8'].map((name) => `tmp/job/encode-1/${name}`),
    ...['tmp/job/other', 'tmp/job/source'],
  ];
  expect(await written()).toEqual(made);

  expect(await run(small, 's3://media-1/tmp/job/other', to)).toMatchObject({ status: 'ERROR', errorCode: 1401 });
  const elsewhere = await run(small, source, 's3://media-1/ada/hls/stream');
  expect(elsewhere).toMatchObject({ status: 'ERROR', errorCode: 1401 });
  expect(await run(small, source, to, 'Default')).toMatchObject({ status: 'ERROR', errorCode: 1434 });
  expect(await written()).toEqual(made);
  s3.destroy();
});
