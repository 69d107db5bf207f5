import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BatchClient } from '@aws-sdk/client-batch';
import { MediaConvertClient } from '@aws-sdk/client-mediaconvert';
import { S3Client } from '@aws-sdk/client-s3';
import { describe, expect, it, vi } from 'vitest';
import {
  cancel,
  describe as describeJobs,
  lookAtQueue,
  submit,
  submittingClient,
} from '../../../../engines/mediaconvert/client.ts';
import { connectMediaConvert } from '../../../../engines/mediaconvert/engine.ts';
import { readEvent } from '../../../../engines/mediaconvert/events.ts';
import { planJob } from '../../../../engines/mediaconvert/settings.ts';
import {
  makeMedia,
  QUEUE,
  startWorld,
  UNTRUSTING,
  type World,
} from '../../../../local/test/support/mediaconvert-world.ts';
import { PLACE, PODCAST, planned } from './sources.ts';

const { plan, source } = planned(PODCAST);
const place = { ...PLACE, queue: QUEUE, source: { bucket: 'uploads', key: 'sound.mp3' } };
const job = planJob(plan, source, place);

interface Connected extends AsyncDisposable {
  world: World;
  client: MediaConvertClient;
  stateOf(id: string): Promise<unknown>;
}

async function connected(stopped: boolean, paused = false): Promise<Connected> {
  const world = await startWorld({ stopped, paused });
  const { endpoint } = world;
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
  const client = new MediaConvertClient({ endpoint, region: 'us-east-1', credentials, maxAttempts: 1 });
  return {
    world,
    client,
    stateOf: async (id) => (await describeJobs(client, [id])).get(id),
    async [Symbol.asyncDispose]() {
      client.destroy();
      await world[Symbol.asyncDispose]();
    },
  };
}

/** The client that submits, at a server that answers its requests with these statuses. */
async function answering(statuses: readonly number[]) {
  let asked = 0;
  const server = createServer((_, response) => {
    const status = statuses[asked++] ?? 500;
    response.writeHead(status, { 'x-amzn-errortype': status === 429 ? 'TooManyRequestsException' : 'Other' });
    response.end(JSON.stringify(status === 200 ? { job: { id: '1795867200000-a1b2c3' } } : { message: 'No.' }));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  vi.stubEnv('AWS_ENDPOINT_URL', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  vi.stubEnv('AWS_REGION', 'us-east-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'a');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'b');
  const client = submittingClient();
  return {
    client,
    asked: () => asked,
    [Symbol.asyncDispose]: async () => {
      vi.unstubAllEnvs();
      client.destroy();
      server.close();
    },
  };
}

describe('a job of MediaConvert', () => {
  it('is one job for two submissions within a minute, and another for the next attempt', async () => {
    await using at = await connected(true);
    const first = await submit(at.client, job);
    expect(await submit(at.client, job)).toBe(first);
    expect(await submit(at.client, planJob(plan, source, { ...place, attempt: 2 }))).not.toBe(first);
  });

  it('is blocked while its queue is paused', async () => {
    await using at = await connected(false, true);
    const env = {
      MEDIACONVERT_QUEUE: QUEUE,
      MEDIACONVERT_ROLE: 'none',
      JOB_BUCKET: 'media',
      JOB_QUEUE: 'none',
      RETRANSCODE_JOB_QUEUE: 'none',
      ON_DEMAND_JOB_QUEUE: 'none',
      JOB_DEFINITION: 'none',
    };
    const others = { submittingWorkers: new BatchClient(), workers: new BatchClient(), s3: new S3Client() };
    const engine = connectMediaConvert(env, { submitting: at.client, others: at.client, ...others });
    const id = await submit(at.client, job);
    expect((await engine.describe([id])).get(id)).toEqual({ kind: 'waiting', blockedBy: 'The queue is paused.' });
  });

  it('waits, and is cancelled; cancelled twice or forgotten it stays as it is', async () => {
    await using at = await connected(true);
    const id = await submit(at.client, job);
    expect(await at.stateOf(id)).toEqual({ kind: 'waiting' });
    expect(await lookAtQueue(at.client, QUEUE)).toEqual({ queue: QUEUE, atWork: false, waiting: 1, blockedBy: null });
    await cancel(at.client, id);
    const reason = { code: 'cancelled', message: 'The job was cancelled.' };
    expect(await at.stateOf(id)).toEqual({ kind: 'ended', end: { by: 'outside', onlyAttempt: true, reason } });
    await cancel(at.client, id);
    await cancel(at.client, '1795867200000-a1b2c3');
    expect(await at.stateOf('1795867200000-a1b2c3')).toEqual({
      kind: 'ended',
      end: { by: 'unseen', reason: { code: 'engine_lost', message: 'MediaConvert no longer has the job.' } },
    });
  });

  it('is encoded when MediaConvert is done, says its state and its events alike', async () => {
    await using at = await connected(false);
    await makeMedia(at.world, 's3://uploads/sound.mp3', '-f', 'lavfi', '-i', 'sine=d=1');
    const id = await submit(at.client, job);
    await at.world.until(id, 'COMPLETE');
    expect(await at.stateOf(id)).toEqual({ kind: 'continues', next: 'finish-1' });
    const named = { jobId: PLACE.jobId, engineJobId: id, part: 'encode' };
    const read = at.world.events.map((event) =>
      readEvent({ ...event, detail: event.detail as Record<string, unknown> }),
    );
    expect(read).toEqual([
      { kind: 'running', ...named, startedAt: expect.stringMatching(/^20/) },
      { kind: 'running', ...named },
      { kind: 'continues', ...named, next: 'finish-1' },
    ]);
  });

  it('whose input is cut off has failed, though MediaConvert completes it', async () => {
    await using at = await connected(false);
    await makeMedia(at.world, 's3://uploads/sound.mp3', '-f', 'lavfi', '-i', 'sine=d=3');
    at.world.mediaconvert.mishap({ type: 'truncated', seconds: 1 });
    const id = await submit(at.client, job);
    await at.world.until(id, 'COMPLETE');
    expect(await at.stateOf(id)).toMatchObject({
      kind: 'ended',
      end: { by: 'outside', reason: { code: 'truncated' } },
    });
  });

  it('that ends in ERROR has the reason of its number', async () => {
    await using at = await connected(false);
    const id = await submit(at.client, planJob(plan, source, { ...place, role: UNTRUSTING }));
    await at.world.until(id, 'ERROR');
    expect(await at.stateOf(id)).toEqual({
      kind: 'ended',
      end: {
        by: 'outside',
        onlyAttempt: true,
        reason: {
          code: 'engine_refused',
          message: `MediaConvert ended the job with error 1434: Unable to assume role [${UNTRUSTING}]`,
        },
      },
    });
  });
});

describe('a submission', () => {
  it('with settings that are refused is refused for good, with their text', async () => {
    await using at = await connected(true);
    const wrong = { ...job, request: { ...job.request, Priority: 99 } };
    await expect(submit(at.client, wrong)).rejects.toMatchObject({
      name: 'DropreelError',
      code: 'engine_refused',
      forGood: true,
      message: 'MediaConvert refused the job: /priority: Should be less than or equal to 50',
    });
  });

  it('to a queue that is not there is refused, and may be accepted later', async () => {
    await using at = await connected(true);
    const elsewhere = planJob(plan, source, { ...place, queue: `${QUEUE}-2` });
    await expect(submit(at.client, elsewhere)).rejects.toMatchObject({ code: 'engine_refused', forGood: false });
  });

  it('that nobody answers is not a refusal: the job may be there', async () => {
    await using at = await connected(true);
    const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
    const closed = new MediaConvertClient({
      endpoint: 'http://127.0.0.1:1',
      region: 'us-east-1',
      credentials,
      maxAttempts: 1,
    });
    await expect(submit(closed, job)).rejects.not.toMatchObject({ code: 'engine_refused' });
    closed.destroy();
    expect(await lookAtQueue(at.client, QUEUE)).toMatchObject({ waiting: 0 });
  });

  it.each([
    ['is made again when it was refused for its rate', [429, 200], '1795867200000-a1b2c3'],
    ['is not made again after an error that may hide a job', [500, 200], null],
  ] as const)('%s', async (_, statuses, id) => {
    await using at = await answering(statuses);
    const submitted = submit(at.client, job);
    if (id) expect(await submitted).toBe(id);
    else await expect(submitted).rejects.toMatchObject({ $metadata: { httpStatusCode: 500 } });
    expect(at.asked()).toBe(id ? 2 : 1);
  });
});
