import { BatchClient } from '@aws-sdk/client-batch';
import { MediaConvertClient } from '@aws-sdk/client-mediaconvert';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { tmpPrefix } from '../../core/contracts/keys.ts';
import { PRESETS } from '../../core/contracts/presets.ts';
import { jobFor } from '../../core/jobs/transitions.ts';
import { type Engine, NotAsked, type Submission } from '../../engines/engine.ts';
import { connectMediaConvert } from '../../engines/mediaconvert/engine.ts';
import { AwsError } from '../../local/kernel/service.ts';
import { job } from '../support/factories.ts';
import { MEDIA, type Services, startServices } from '../support/services.ts';
import { planned } from '../unit/engines/mediaconvert/sources.ts';

/** What MediaConvert is asked for follows from a file that a worker has left, which strangers' media may have taken over. */

let services: Services;
beforeAll(async () => {
  services = await startServices();
});
afterAll(() => services[Symbol.asyncDispose]());

const STANDARD = PRESETS.standard ?? expect.fail('no preset');
const row = job();
const submission: Submission = {
  ...{ job: jobFor(row, STANDARD, MEDIA), info: {}, purpose: 'ingest', onDemand: false, tried: false },
  ...{ part: 'encode', number: 2, access: () => expect.fail('not for MediaConvert') },
};

const submit = (s3 = services.s3) => connected((engine) => engine.submit(submission), s3);

/** No call reaches AWS but those of S3: its address is one where nobody listens. */
async function connected<Value>(use: (engine: Engine) => Promise<Value>, s3 = services.s3): Promise<Value> {
  const nowhere = { endpoint: 'http://127.0.0.1:1', region: 'us-east-1', maxAttempts: 1 };
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
  const calls = new MediaConvertClient({ ...nowhere, credentials });
  const workers = new BatchClient({ ...nowhere, credentials });
  const Name = 'not used';
  const env = {
    ...{ MEDIACONVERT_QUEUE: Name, MEDIACONVERT_ROLE: Name, JOB_BUCKET: MEDIA },
    ...{ JOB_QUEUE: Name, RETRANSCODE_JOB_QUEUE: Name, ON_DEMAND_JOB_QUEUE: Name, JOB_DEFINITION: Name },
  };
  const clients = { submitting: calls, others: calls, submittingWorkers: workers, workers, s3 };
  try {
    return await use(connectMediaConvert(env, clients));
  } finally {
    calls.destroy();
    workers.destroy();
  }
}

const good = () => ({
  ...{ jobId: row.jobId, ...planned().source, ends: { video: 60, audio: 60 } },
  ...{ report: {}, warnings: [], cpuSeconds: 1 },
});
const leave = (Body: string) =>
  services.s3.send(new PutObjectCommand({ Bucket: MEDIA, Key: `${tmpPrefix(row.jobId)}prepared.json`, Body }));

it.each<[string, () => string]>([
  ['is not JSON', () => '<html>'],
  ['is larger than any', () => ' '.repeat(33 * 1024 * 1024)],
  ['is that of another job', () => JSON.stringify({ ...good(), jobId: `${row.mediaId}-9` })],
  ['takes sound from a track that it does not have', () => JSON.stringify({ ...good(), audioTracks: [7, 8] })],
])('a job whose prepared.json %s is refused for good, so that no other job waits for it', async (_, text) => {
  await leave(text());
  await expect(submit()).rejects.toMatchObject({
    name: 'DropreelError',
    code: 'engine_refused',
    forGood: true,
    message: 'prepared.json of the job is missing, or not as it should be.',
  });
});

it('a fault of S3 is not one of MediaConvert', async () => {
  services.onCall = () => {
    throw new AwsError('ServiceUnavailable', 503, 'Dead.');
  };
  await expect(submit(services.breakable.s3)).rejects.toThrow(NotAsked);
});

it('of one that is as it should be, MediaConvert is asked', async () => {
  await leave(JSON.stringify(good()));
  await expect(submit()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

it('the worker that prepared a job is paid, and the encode follows', async () => {
  await leave(JSON.stringify(good()));
  const event = {
    source: 'aws.batch',
    'detail-type': 'Batch Job State Change',
    detail: {
      ...{ jobName: `${row.jobId}-prepare`, jobId: 'e-1', status: 'SUCCEEDED', jobQueue: 'queue' },
      attempts: [
        { startedAt: 1_000, stoppedAt: 4_000 },
        { startedAt: 5_000, stoppedAt: 7_500 },
      ],
      container: { exitCode: 0, resourceRequirements: [{ type: 'VCPU', value: '4' }] },
    },
  };
  expect(await connected((engine) => engine.read(event))).toEqual({
    ...{ kind: 'continues', jobId: row.jobId, engineJobId: 'e-1', next: 'encode' },
    held: [{ vcpus: 4, seconds: [3, 2.5] }],
  });
});
