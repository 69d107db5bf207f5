import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mediaIdFor } from '../../core/contracts/ids.ts';
import type { Cloud } from '../../local/boot.ts';
import { AwsError } from '../../local/kernel/service.ts';
import { testCloud } from '../support/cloud.ts';
import { Encodes } from '../support/encodes.ts';
import { decode, drop, makeClip, readJobs, testVideo } from '../support/pipeline.ts';
import { reachedInTime } from '../support/settled.ts';
import { Traffic } from '../support/traffic.ts';

const MIB = 2 ** 20;
const PART = 16 * MIB;

let folder: string;
let sound: string;
/** Small to encode, with more than a dozen files to push. */
let video: string;
/** The same in fragments, which are downloaded first, and 100 MiB of them: seven parts, of which four are on their way at once. */
let padded: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dropreel-resume-'));
  sound = await makeClip(join(folder, 'tone.mp3'), '-f', 'lavfi', '-i', 'sine=frequency=300:duration=2');
  video = await testVideo(join(folder, 'video.mp4'), { seconds: 13, size: '64x64', rate: 10 });
  const fragments = ['-c', 'copy', '-movflags', '+frag_keyframe+empty_moov'];
  padded = await makeClip(join(folder, 'padded.mp4'), '-i', video, ...fragments);
  await appendFile(padded, freeBox(100 * MIB));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A box that every reader of MP4 skips. */
function freeBox(bytes: number): Buffer {
  const box = Buffer.alloc(bytes);
  box.writeUInt32BE(bytes, 0);
  box.write('free', 4);
  return box;
}

describe('after a crash of the whole cloud, a restart on the same state brings the media item to ready', () => {
  it.each([
    ['with the rows written and no job submitted', 'ingestupload', 'SubmitJob', 1],
    ['as the worker pushes', 'transcoderjobrole', 'PutObject', 4],
    ['as the output is copied', 'publishoutput', 'CopyObject', 2],
    ['as the pointers are turned', 'publishoutput', 'PutObject', 3],
  ])(
    '%s',
    async (_, who, operation, nth) => {
      const stateDir = await mkdtemp(join(tmpdir(), 'dropreel-crash-'));
      const encodes = new Encodes();
      let calls = 0;
      let crashed: () => void = () => {};
      const crash = new Promise<void>((resolve) => {
        crashed = resolve;
      });
      const before = (call: { operation: string; principal: object }) => {
        if (call.operation !== operation || !JSON.stringify(call.principal).includes(who)) return undefined;
        calls += 1;
        if (calls !== nth) return undefined;
        crashed();
        return new Promise<void>(() => {});
      };
      const { cloud: first } = await testCloud({ stateDir, hooks: encodes.hooks({ before }) });
      encodes.watch(first);
      const mediaId = await drop(first, 'drop/ann/default/tone.mp3', { file: sound });
      await crash;
      await first.crash();

      await using booted = await testCloud({ stateDir, hooks: encodes.hooks() });
      encodes.watch(booted.cloud);
      const media = await reachedInTime(booted.cloud, mediaId, 'ready');
      expect(media.current?.outputs.waveform).toBe(`ann/waveforms/${mediaId}/v1/waveform.json`);
      await decode(`${booted.cloud.deliveryUrl}/${media.current?.outputs.master}`);
      const jobs = await readJobs(booted.cloud, mediaId);
      expect(jobs.map(({ state, jobId }) => [state, encodes.of(jobId)])).toEqual([['published', 1]]);
    },
    120_000,
  );
});

describe('a worker that is killed', () => {
  /** Runs a video with the worker ended in that way at one call of it; tells what each attempt moved. */
  async function killed(file: string, cause: 'SIGKILL' | 'host-lost', operation: string, nth: number) {
    const traffic = new Traffic('transcoderjobrole');
    let cloud: Cloud | undefined;
    let before = { pulled: 0, pushed: 0, names: [] as string[] };
    const hooks = {
      before: (call: Parameters<Traffic['see']>[0]) => {
        if (!traffic.see(call) || traffic.count(operation) !== nth || before.names.length > 0) return;
        const [running = ''] = cloud?.batch.running() ?? [];
        before = traffic.take();
        cloud?.batch.kill(running, cause).catch(() => {});
        throw new AwsError('InternalError', 500, 'The worker is gone.');
      },
    };
    await using booted = await testCloud({ hooks });
    cloud = booted.cloud;
    const bucket = cloud.outputs.UploadsBucket ?? '';
    const key = 'drop/ann/default/video.mp4';
    await drop(cloud, key, { file });
    const media = await reachedInTime(cloud, await mediaIdFor(bucket, key), 'ready');
    await decode(`${cloud.deliveryUrl}/${media.current?.outputs.master}`);
    return { first: before, second: traffic.take(), progress: (await readJobs(cloud, media.mediaId))[0] };
  }

  it('while it downloads continues with the missing parts', async () => {
    // The first is a look at the head, which says that the source is to be downloaded.
    const { first, second } = await killed(padded, 'SIGKILL', 'GetObject', 8);
    expect(first.pulled).toBeGreaterThan(100 * MIB);
    // The seventh part was asked for when three were done and synced.
    expect(second.pulled).toBeLessThanOrEqual(4 * PART);
    expect(second.pulled).toBeGreaterThan(0);
  }, 120_000);

  it('while it uploads sends only missing objects, and downloads nothing', async () => {
    const { first, second } = await killed(video, 'SIGKILL', 'PutObject', 12);
    const done = new Set(first.names.filter((name) => name.startsWith('PutObject')).slice(0, -4));
    expect(second.pulled).toBe(0);
    expect(done.size).toBeGreaterThan(5);
    // What was surely put is not put again; the claim is asked for by every attempt.
    expect(second.names.filter((name) => done.has(name) && !name.endsWith('claim.json'))).toEqual([]);
  }, 120_000);

  it('with its host downloads and encodes again, and uploads only missing objects', async () => {
    const { first, second, progress } = await killed(video, 'host-lost', 'PutObject', 12);
    const done = new Set(first.names.filter((name) => name.startsWith('PutObject')).slice(0, -4));
    expect(second.pulled).toBe(first.pulled);
    expect(second.names.filter((name) => done.has(name) && !name.endsWith('claim.json'))).toEqual([]);
    expect(progress?.attempt).toBe(2);
  }, 120_000);
});
