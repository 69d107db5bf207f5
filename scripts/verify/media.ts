import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { DeleteObjectsCommand, ListObjectVersionsCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { execa } from 'execa';
import { JobList, type JobView, MediaView } from '../../core/contracts/http/media.ts';
import { mediaIdFor } from '../../core/contracts/ids.ts';
import { dropKey } from '../../core/contracts/keys.ts';
import { callApi } from './api.ts';
import { awaited, type Run } from './check.ts';
import { Failed } from './failed.ts';
import { outputOf } from './target.ts';

export const FRAMES_PER_SECOND = 25;
const FFMPEG = process.env.FFMPEG_PATH || 'ffmpeg';
const FFPROBE = process.env.FFPROBE_PATH || 'ffprobe';

/** A video of moving bars with a tone. */
export function makeClip(run: Run, name: string, seconds: number, size: string): Promise<string> {
  return encodedClip(run, name, [
    ...['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=${FRAMES_PER_SECOND}:duration=${seconds}`],
    ...['-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=48000:duration=${seconds}`],
    '-shortest',
  ]);
}

/** @param inputs arguments of FFmpeg; `name` ends in .mp4, or in that of a format of sound alone */
export async function encodedClip(run: Run, name: string, inputs: readonly string[]): Promise<string> {
  const file = join(run.folder, name);
  const codecs = name.endsWith('.mp4')
    ? ['-c:v', 'libx264', '-preset', 'veryfast', '-pix_fmt', 'yuv420p', '-c:a', 'aac']
    : [];
  await execa(FFMPEG, ['-v', 'error', '-y', ...inputs, ...codecs, file]);
  return file;
}

/** Puts a file into the uploads bucket, as any S3 client would. Its media item and every version are removed at the end. */
export async function dropClip(run: Run, file: string, collectionId: string): Promise<string> {
  const { clients } = run.target;
  const Bucket = outputOf(run.target, 'UploadsBucket');
  const Key = dropKey({ creatorId: run.creatorId, collectionId, path: basename(file) });
  const mediaId = await mediaIdFor(Bucket, Key);
  run.media.push(mediaId);
  run.atEnd(`the media item ${mediaId}`, async () => {
    await mediaIsGone(run, mediaId);
    const { Versions = [], DeleteMarkers = [] } = await clients.s3.send(
      new ListObjectVersionsCommand({ Bucket, Prefix: Key }),
    );
    const Objects = [...Versions, ...DeleteMarkers].map(({ VersionId }) => ({ Key, VersionId }));
    if (Objects.length > 0) await clients.s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
  });
  await clients.s3.send(new PutObjectCommand({ Bucket, Key, Body: await readFile(file), ContentType: 'video/mp4' }));
  return mediaId;
}

/** Marks every media item of the run for deletion: the next sweep after their grace period removes them all at once. */
export async function markMedia(run: Run): Promise<void> {
  for (const mediaId of run.media) {
    const { status } = await callApi(run, 'DELETE', `/media/${mediaId}`);
    if (status >= 300 && status !== 404) throw new Error(`DELETE /media/${mediaId} answered ${status}`);
  }
  run.target.passGrace?.();
}

/** A media item waits 16 minutes for its publishers, then for the next sweep, which removes the objects and then the row. */
async function mediaIsGone(run: Run, mediaId: string): Promise<void> {
  await awaited(run, `the media item ${mediaId} is gone`, 2400, async () =>
    (await callApi(run, 'GET', `/media/${mediaId}`)).status === 404 ? true : undefined,
  );
}

/**
 * Waits until the media item is ready, with `jobs` encodes if that matters.
 * @throws Failed with the error of the media item
 */
export function ready(
  run: Run,
  mediaId: string,
  options: { jobs?: number; seconds?: number } = {},
): Promise<MediaView> {
  const { jobs = 1, seconds = 1200 } = options;
  let state = 'unknown';
  return awaited(
    run,
    jobs === 1 ? `the media item ${mediaId} is ready` : `encode ${jobs} of the media item ${mediaId} is published`,
    seconds,
    async () => {
      const { status, body } = await callApi(run, 'GET', `/media/${mediaId}`);
      // 404 before its event; the API may be busy.
      if (status !== 200) {
        state = `unknown: HTTP ${status}`;
        return undefined;
      }
      const media = MediaView.parse(body);
      state = media.error ? `${media.state}, ${media.error.code}: ${media.error.message}` : media.state;
      if (media.state === 'failed') throw new Failed(`The media item ${mediaId} failed with ${state}`);
      return media.state === 'ready' && (media.version?.n ?? 0) >= jobs ? media : undefined;
    },
    () => `it is ${state}`,
  );
}

export async function jobsOf(run: Run, mediaId: string): Promise<JobView[]> {
  return JobList.parse((await callApi(run, 'GET', `/media/${mediaId}/jobs`)).body).items;
}

/**
 * Plays all of a stream.
 * @returns the number of decoded frames
 * @throws Failed with ffmpeg's message when it cannot be played
 */
export async function framesOf(url: string, headers = ''): Promise<number> {
  const { stdout, stderr, failed } = await execa(
    FFPROBE,
    [
      ...['-v', 'error', ...(headers === '' ? [] : ['-headers', headers])],
      ...['-count_frames', '-select_streams', 'v:0', '-show_entries', 'stream=nb_read_frames', '-of', 'json', url],
    ],
    { reject: false },
  );
  if (failed || stderr !== '') throw new Failed(`${url} cannot be played: ${stderr.split('\n')[0]}`);
  const { streams } = JSON.parse(stdout) as { streams: { nb_read_frames: string }[] };
  return Number(streams[0]?.nb_read_frames);
}

/** The lengths of the segments of a stream's first rendition, in seconds. */
export async function segmentsOf(master: string): Promise<number[]> {
  const [first = ''] = uris(await textOf(master));
  const playlist = await textOf(new URL(first, master).href);
  return [...playlist.matchAll(/^#EXTINF:([\d.]+)/gm)].map(([, length]) => Number(length));
}

const uris = (playlist: string) => playlist.split('\n').filter((line) => line !== '' && !line.startsWith('#'));

async function textOf(url: string): Promise<string> {
  const response = await fetch(url);
  if (!response.ok) throw new Failed(`${url} answers ${response.status}`);
  return response.text();
}

/** The likeness of two streams' pictures: 1 is the same. */
export async function ssim(one: string, other: string): Promise<number> {
  const filter = '[0:v][1:v]ssim';
  const { stderr } = await execa(FFMPEG, ['-i', one, '-i', other, '-lavfi', filter, '-an', '-f', 'null', '-']);
  return Number(/SSIM .*All:([\d.]+)/.exec(stderr)?.[1]);
}
