/**
 * `node --import tsx test/image/try-image.ts IMAGE [PROGRAM]`: runs the worker's image as AWS Batch does, with a read-only root and a
 * volume for /scratch, for one video of a local cloud; a spy in FFmpeg's place tells what it saw. PROGRAM is podman or docker.
 * By hand, because a bare machine has neither. It prints what was seen, and exits with 1 when something of it is wrong.
 */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { execa } from 'execa';
import { MEDIA_ID, WORKER_ID } from '../../containers/transcoder/users.ts';
import { type Job, Result } from '../../core/contracts/job.ts';
import { tmpPrefix } from '../../core/contracts/keys.ts';
import { createCredentials } from '../../local/iam/credentials.ts';
import { developer, smallCloud } from '../../local/test/support/small-cloud.ts';
import { H264_AAC, make, picture, tone } from '../support/media.ts';
import { presetNamed } from '../support/transcode.ts';

const [image = '', program = 'podman'] = process.argv.slice(2);
const arnOf = (name: string) => `arn:aws:iam::123456789012:role/${name}`;
const allow = (Action: string[], Resource: string | string[]) => ({
  PolicyName: 'p',
  PolicyDocument: { Statement: [{ Effect: 'Allow', Action, Resource }] },
});
const S3_ACTIONS = ['s3:GetObject', 's3:GetObjectVersion', 's3:PutObject', 's3:ListBucket', 's3:AbortMultipartUpload'];
await using small = await smallCloud({
  resources: {
    Uploads: {
      Type: 'AWS::S3::Bucket',
      Properties: { BucketName: 'uploads', VersioningConfiguration: { Status: 'Enabled' } },
    },
    Media: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'media' } },
    Bus: { Type: 'AWS::Events::EventBus', Properties: { Name: 'bus' } },
    Container: {
      Type: 'AWS::IAM::Role',
      Properties: {
        RoleName: 'container',
        AssumeRolePolicyDocument: {},
        Policies: [allow(['sts:AssumeRole'], arnOf('job'))],
      },
    },
    Job: {
      Type: 'AWS::IAM::Role',
      Properties: {
        RoleName: 'job',
        AssumeRolePolicyDocument: {
          Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { AWS: arnOf('container') } }],
        },
        Policies: [allow([...S3_ACTIONS, 'events:PutEvents'], '*')],
      },
    },
  },
});
const s3 = new S3Client({ ...developer(small.cloud), requestChecksumCalculation: 'WHEN_REQUIRED' });
const body = await readFile(await make(small.directory, ...picture('640x360'), ...tone(), ...H264_AAC, 'clip.mp4'));
const key = 'drop/ann/talks/a clip.mp4';
const { ETag = '', VersionId } = await s3.send(new PutObjectCommand({ Bucket: 'uploads', Key: key, Body: body }));
const mediaId = 'abcdefghijklmnopqrstuvwxyz';
const job: Job = {
  jobId: `${mediaId}-1`,
  mediaId,
  creatorId: 'ann',
  source: {
    bucket: 'uploads',
    key,
    versionId: VersionId,
    sequencer: '0',
    size: body.length,
    etag: ETag.replaceAll('"', ''),
  },
  output: { bucket: 'media', prefix: tmpPrefix(`${mediaId}-1`) },
  preset: presetNamed('standard'),
};
const credentials = await createCredentials(join(small.directory, 'state', 'iam'));
const given = credentials.issue({ type: 'role', arn: arnOf('container') });
const environment = {
  BUS_NAME: 'bus',
  JOB_ROLE_ARN: arnOf('job'),
  SCRATCH_DIR: '/scratch',
  DROPREEL_JOB: JSON.stringify(job),
  AWS_BATCH_JOB_ID: randomUUID(),
  AWS_BATCH_JOB_ATTEMPT: '1',
  AWS_REGION: 'us-east-1',
  AWS_ENDPOINT_URL: small.cloud.endpoint,
  AWS_ACCESS_KEY_ID: given.accessKeyId,
  AWS_SECRET_ACCESS_KEY: given.secretAccessKey,
  AWS_SESSION_TOKEN: given.sessionToken ?? '',
  FFMPEG_PATH: '/spy.sh',
};
const volume = `dropreel-try-${randomUUID().slice(0, 8)}`;
const run = await execa(
  program,
  [
    ...[
      'run',
      '--rm',
      '--network',
      'host',
      '-m',
      '2g',
      '--read-only',
      ...(program === 'podman' ? ['--read-only-tmpfs=false'] : []),
    ],
    ...['-v', `${volume}:/scratch`, '-v', `${join(import.meta.dirname, 'spy.sh')}:/spy.sh:ro`],
    ...Object.entries(environment).flatMap(([name, value]) => ['-e', `${name}=${value}`]),
    image,
  ],
  { reject: false, all: true },
);
await execa(program, ['volume', 'rm', '-f', volume], { reject: false });
console.log(run.all);
const read = async (name: string) => {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'media', Key: `${job.output.prefix}${name}` }));
  return (await Body?.transformToString()) ?? '';
};
const result = Result.parse(JSON.parse(await read('result.json')));
const spied = await read('spy.txt').catch(String);
console.log(spied);
console.log(JSON.stringify({ ...result, files: undefined, renditions: undefined }, null, 2));
s3.destroy();

const wrong = [
  run.exitCode === 0 || `it ended with ${run.exitCode}`,
  result.status === 'succeeded' || 'the result is no success',
  spied.includes(`uid=${MEDIA_ID}(media)`) || 'FFmpeg ran as another user',
  /CapPrm:\s+0+\nCapBnd:\s+0+\nNoNewPrivs:\s+1\n/.test(spied) || 'FFmpeg has privileges',
  spied.includes(`Uid:\t${WORKER_ID}\t`) || 'the worker is another user',
  /\/proc\/1\/environ: Permission denied/.test(spied) || "FFmpeg read the worker's environment",
  /\/proc\/1\/fd.*Permission denied/.test(spied) || "FFmpeg saw the worker's files",
  /\/root-file.*Read-only file system/.test(spied) || 'the root file system can be written',
  /source.*Permission denied/.test(spied) || 'FFmpeg may write the source',
  !spied.includes('AWS_') || 'FFmpeg was given credentials',
].filter((it) => it !== true);
console.log(wrong.length === 0 ? 'all as it should be' : `WRONG: ${wrong.join('; ')}`);
process.exitCode = wrong.length === 0 ? 0 : 1;
