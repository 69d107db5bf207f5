import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { GetObjectCommand, paginateListObjectsV2 } from '@aws-sdk/client-s3';
import { mediaPrefixes } from '../../core/contracts/keys.ts';
import { each, OUTPUT_NAMES, type OutputName } from '../../core/contracts/outputs.ts';
import type { JobRow } from '../../core/contracts/table/jobs.ts';
import type { MediaRow } from '../../core/contracts/table/media.ts';
import type { Warning } from '../../core/contracts/warnings.ts';
import type { Cloud } from '../../local/boot.ts';
import { developerClients } from './clients.ts';
import type { Dropped } from './drop.ts';

/** What `--json` prints for one file, and where it plays. */
export interface Report {
  line: {
    file: string;
    mediaId: string;
    state: string;
    /** What encoded it. */
    engine: string | null;
    /** What its GPU did, if it was asked for one. */
    gpu: JobRow['gpu'] | null;
    error: { code: string; message: string } | null;
    source: Record<'durationSeconds' | 'width' | 'height' | 'videoCodec' | 'audioCodec', number | string | null>;
    /** Paths on disk. */
    outputs: Record<OutputName, string | null>;
    renditions: NonNullable<MediaRow['current']>['renditions'];
    /** What of the file was lost on the way, or is not as it was. */
    warnings: Warning[];
    dir: string | null;
    /** Seconds. */
    timings: { upload: number; queued: number | null; encode: number | null; publish: number | null; total: number };
    /** What the job was expected to take on AWS when it was submitted: seconds of its worker, and USD. */
    estimate: { seconds: number | null; usd: number | null };
    /** This machine's seconds at AWS's prices, or at those of the engine's provider. */
    cost: { usd: number | null; vcpuSeconds: number | null };
  };
  bytes: number;
  playerUrl: string | null;
}

interface Finished {
  file: string;
  index: number;
  media: MediaRow;
  job: JobRow | undefined;
  dropped: Dropped;
  before: number;
  outputDir: string;
}

/** Downloads what was published to `{outputDir}/{n}-{name}/`, with the keys as paths, and summarizes the run. */
export async function collectReport(cloud: Cloud, finished: Finished): Promise<Report> {
  const { file, media, job, dropped, before } = finished;
  const published = media.current;
  const dir = published ? join(finished.outputDir, `${finished.index + 1}-${basename(file)}`) : null;
  if (dir) await download(cloud, media, dir);
  const path = (name: OutputName) => {
    const key = published?.outputs[name];
    return dir && key ? join(dir, key) : null;
  };
  const info = media.sourceInfo ?? {};
  const seconds = (from: string | number | undefined, to: string | number | undefined) =>
    from === undefined || to === undefined ? null : Math.max(0, (Number(new Date(to)) - Number(new Date(from))) / 1000);
  const pushed = job?.steps.find((step) => step.name === 'pushed')?.at;
  const query = new URLSearchParams({ creator: media.creatorId, media: media.mediaId });
  return {
    line: {
      file,
      mediaId: media.mediaId,
      state: media.state,
      engine: job?.engine ?? null,
      gpu: job?.gpu ?? null,
      error: media.error ? { code: media.error.code, message: media.error.message } : null,
      source: {
        durationSeconds: info.durationSeconds ?? null,
        width: info.width ?? null,
        height: info.height ?? null,
        videoCodec: info.videoCodec ?? null,
        audioCodec: info.audioCodec ?? null,
      },
      outputs: each(OUTPUT_NAMES, path),
      renditions: published?.renditions ?? [],
      warnings: published?.warnings ?? [],
      dir,
      timings: {
        upload: (dropped.uploadedAt - before) / 1000,
        queued: seconds(job?.createdAt, job?.startedAt),
        encode: seconds(job?.startedAt, pushed),
        publish: seconds(pushed, published?.publishedAt),
        total: (Date.now() - before) / 1000,
      },
      estimate: { seconds: job?.estimate?.seconds ?? null, usd: job?.estimate?.usd ?? null },
      cost: { usd: job?.cost?.usd ?? null, vcpuSeconds: job?.cost?.vcpuSeconds ?? null },
    },
    bytes: published?.bytes ?? 0,
    playerUrl: published ? `${cloud.deliveryUrl}/player/?${query}` : null,
  };
}

async function download(cloud: Cloud, media: MediaRow, dir: string): Promise<void> {
  const { s3 } = developerClients(cloud);
  const bucket = cloud.outputs.MediaBucket ?? '';
  for (const prefix of mediaPrefixes(media.creatorId, media.mediaId)) {
    for await (const page of paginateListObjectsV2({ client: s3 }, { Bucket: bucket, Prefix: prefix })) {
      for (const { Key: key } of page.Contents ?? []) {
        if (!key) continue;
        const { Body: body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
        const target = join(dir, key);
        await mkdir(dirname(target), { recursive: true });
        await pipeline(body as Readable, createWriteStream(target));
      }
    }
  }
}
