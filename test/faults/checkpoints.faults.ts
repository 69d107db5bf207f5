import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import type { Cloud } from '../../local/boot.ts';
import { developerClients } from '../../scripts/demo/clients.ts';
import { eventually, testCloud } from '../support/cloud.ts';
import { Encodes } from '../support/encodes.ts';
import { drop, readJobs, testVideo } from '../support/pipeline.ts';
import { reachedInTime } from '../support/settled.ts';
import { Traffic } from '../support/traffic.ts';

const MIB = 2 ** 20;
/** So that there is something to pull, and less than is read in place. */
const PADDING = 32 * MIB;
/** As push.ts has it. */
const FILES_IN_FLIGHT = 4;
/** The claim that each attempt makes, its renewals, and a failed attempt's result: each a few hundred bytes. */
const CLAIMS = 100_000;

interface Cost {
  /** Percent, as the row has it: up to 2 s behind the worker. 0 when it was let live. */
  killedAt: number;
  pulled: number;
  pushed: number;
  /** Bytes of its four largest objects. */
  largest: number;
  cpuSeconds: number;
}

/** What one job moves and computes in all, its worker ended once at that percent of its progress. */
async function costOf(file: string, kill?: { at: number; cause: 'SIGKILL' | 'host-lost' }): Promise<Cost> {
  const traffic = new Traffic('transcoderjobrole');
  const encodes = new Encodes();
  await using booted = await testCloud({ hooks: encodes.hooks({ before: (call) => void traffic.see(call) }) });
  const { cloud } = booted;
  encodes.watch(cloud);
  let killedAt = 0;
  const id = await drop(cloud, 'drop/ann/default/video.mp4', { file });
  if (kill) {
    const { engineJobId, percent } = await progressed(cloud, id, kill.at);
    await cloud.batch.kill(engineJobId, kill.cause);
    killedAt = percent;
  }
  await reachedInTime(cloud, id, 'ready', { timeoutMs: 300_000 });
  expect((await readJobs(cloud, id)).map(({ jobId }) => encodes.of(jobId))).toEqual([1]);
  const { pulled, pushed } = traffic.take();
  const sizes = (await publishedSizes(cloud)).toSorted((a, b) => b - a);
  const largest = sizes.slice(0, FILES_IN_FLIGHT).reduce((sum, size) => sum + size, 0);
  return { killedAt, pulled, pushed, largest, cpuSeconds: cloud.meter.snapshot()['batch:local-cpu-seconds'] ?? 0 };
}

async function publishedSizes({ outputs, ...cloud }: Cloud): Promise<number[]> {
  const { Contents = [] } = await developerClients(cloud).s3.send(
    new ListObjectsV2Command({ Bucket: outputs.MediaBucket }),
  );
  return Contents.map(({ Size = 0 }) => Size);
}

/** Progress comes with events, one each 2 s. */
async function progressed(cloud: Cloud, mediaId: string, percent: number) {
  const reached = async () => {
    const [job] = await readJobs(cloud, mediaId);
    const [engineJobId] = cloud.batch.running();
    return job && engineJobId !== undefined && job.progress >= percent && { engineJobId, percent: job.progress };
  };
  return eventually(`${mediaId} is at ${percent} %`, reached, 120_000);
}

it('a killed worker repeats little work where its disk survives, and uploads only missing objects where it does not', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'dropreel-checkpoints-'));
  const file = await testVideo(join(folder, 'video.mp4'), { seconds: 24, size: '1280x720' });
  const box = Buffer.alloc(PADDING);
  box.writeUInt32BE(PADDING, 0);
  box.write('free', 4);
  await appendFile(file, box);

  const whole = await costOf(file);
  const mib = (bytes: number) => (Math.max(0, bytes) / MIB).toFixed(1);
  console.log(
    `undisturbed: ${mib(whole.pulled)} MiB pulled, ${mib(whole.pushed)} pushed, ${whole.cpuSeconds.toFixed(1)} CPU s`,
  );
  console.log('| killed at | disk | MiB pulled again | MiB pushed again | CPU s repeated |\n|---|---|---|---|---|');
  for (const cause of ['SIGKILL', 'host-lost'] as const) {
    for (const at of [10, 50, 90]) {
      const cost = await costOf(file, { at, cause });
      const again = { pulled: cost.pulled - whole.pulled, pushed: cost.pushed - whole.pushed };
      const disk = cause === 'SIGKILL' ? 'survived' : 'lost';
      const cpu = Math.max(0, cost.cpuSeconds - whole.cpuSeconds).toFixed(1);
      console.log(`| ${at} % (${cost.killedAt}) | ${disk} | ${mib(again.pulled)} | ${mib(again.pushed)} | ${cpu} |`);
      if (cause === 'SIGKILL') expect(again.pulled).toBe(0);
      else expect(again.pulled).toBe(whole.pulled);
      expect(again.pushed).toBeLessThan(whole.largest + CLAIMS);
    }
  }
  await rm(folder, { recursive: true, force: true });
});
