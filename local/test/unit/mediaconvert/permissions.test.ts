import { readFile } from 'node:fs/promises';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { input, job, sound, streams } from '../../support/mediaconvert-request.ts';
import { makeMedia, startWorld } from '../../support/mediaconvert-world.ts';
import { signedFetch } from '../../support/signed-fetch.ts';
import { developer, type SmallCloud, smallCloud } from '../../support/small-cloud.ts';

const ACCOUNT = 'arn:aws:iam::123456789012:role/';
const trusting = (queue: string) => ({
  Statement: [
    {
      Effect: 'Allow',
      Principal: { Service: 'mediaconvert.amazonaws.com' },
      Action: 'sts:AssumeRole',
      Condition: { ArnLike: { 'aws:SourceArn': `arn:aws:mediaconvert:us-east-1:123456789012:queues/${queue}` } },
    },
  ],
});
const role = (RoleName: string, trust: object, ...Resource: string[]) => ({
  Type: 'AWS::IAM::Role',
  Properties: {
    RoleName,
    AssumeRolePolicyDocument: trust,
    Policies: [
      {
        PolicyName: 'own',
        PolicyDocument: { Statement: [{ Effect: 'Allow', Action: ['s3:GetObject', 's3:PutObject'], Resource }] },
      },
    ],
  },
});

const IN = 'arn:aws:s3:::uploads-1/*';
const boot = () =>
  smallCloud({
    resources: {
      Uploads: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'uploads-1' } },
      Media: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'media-1' } },
      Queue: { Type: 'AWS::MediaConvert::Queue', Properties: { Name: 'encodes' } },
      Encoder: role('encoder', trusting('encodes'), IN, 'arn:aws:s3:::media-1/tmp/*'),
      Reader: role('reader', trusting('encodes'), IN),
      Stranger: role('stranger', trusting('another'), IN, 'arn:aws:s3:::media-1/tmp/*'),
    },
  });

async function run({ cloud }: SmallCloud, name: string): Promise<Record<string, unknown>> {
  const alone = sound();
  Object.assign(alone.containerSettings.cmfcSettings, { audioTrackType: 'AUDIO_ONLY_VARIANT_STREAM' });
  const group = streams(alone);
  group.outputGroupSettings.cmafGroupSettings.destination = 's3://media-1/tmp/job/stream';
  const inputs = [{ ...input(), fileInput: 's3://uploads-1/sound.mp3', videoSelector: undefined }];
  const request = { ...job(), role: `${ACCOUNT}${name}`, settings: { inputs, outputGroups: [group] } };
  const call = async (method: string, path: string, body?: object) => {
    const sent = { service: 'mediaconvert', method, path: `/2017-08-29${path}`, ...(body && { body }) };
    const answer = await signedFetch(cloud.endpoint, cloud.credentials, sent);
    return (answer.body as { job: Record<string, unknown> }).job;
  };
  const { id } = await call('POST', '/jobs', request);
  return eventually(`${name} has ended`, async () => {
    const now = await call('GET', `/jobs/${id}`);
    return ['COMPLETE', 'ERROR'].includes(String(now.status)) && now;
  });
}

test("a job reads and writes what its role may, and only where the role trusts the job's queue", async () => {
  await using world = await startWorld({ stopped: true });
  await makeMedia(world, 's3://uploads/sound.mp3', '-f', 'lavfi', '-i', 'sine=d=1');
  await using small = await boot();
  const s3 = new S3Client({ ...developer(small.cloud), forcePathStyle: true });
  const Body = await readFile(world.pathOf('s3://uploads/sound.mp3'));
  await s3.send(new PutObjectCommand({ Bucket: 'uploads-1', Key: 'sound.mp3', Body }));

  expect(await run(small, 'encoder')).toMatchObject({ status: 'COMPLETE' });
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: 'media-1' }));
  expect(Contents.map(({ Key }) => Key)).toEqual([
    'tmp/job/stream.m3u8',
    'tmp/job/stream_sound.cmfa',
    'tmp/job/stream_sound.m3u8',
  ]);
  const { ContentType } = await s3.send(new GetObjectCommand({ Bucket: 'media-1', Key: 'tmp/job/stream_sound.cmfa' }));
  expect(ContentType).toBe('audio/mp4');
  expect(await run(small, 'reader')).toMatchObject({ status: 'ERROR', errorCode: 1401 });
  expect(await run(small, 'stranger')).toMatchObject({ status: 'ERROR', errorCode: 1434 });
  s3.destroy();
});
