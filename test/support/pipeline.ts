import { createReadStream } from 'node:fs';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { GetCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { execa } from 'execa';
import { mediaIdFor } from '../../core/contracts/ids.ts';
import { JobRow } from '../../core/contracts/table/jobs.ts';
import { rowKeys } from '../../core/contracts/table/keys.ts';
import { MediaRow, type MediaState } from '../../core/contracts/table/media.ts';
import type { Cloud } from '../../local/boot.ts';
import { developerClients } from '../../scripts/demo/clients.ts';
import { eventually } from './cloud.ts';

const FFMPEG = process.env.FFMPEG_PATH ?? 'ffmpeg';
export const FFPROBE = process.env.FFPROBE_PATH ?? 'ffprobe';

/** Makes a file with ffmpeg; `args` are the inputs and codecs. */
export async function makeClip(path: string, ...args: string[]): Promise<string> {
  await execa(FFMPEG, ['-hide_banner', '-loglevel', 'error', '-y', ...args, path]);
  return path;
}

/** A video of `seconds` with a tone, tiny to encode. */
export function testVideo(path: string, { seconds = 2, size = '320x180', rate = 25 } = {}): Promise<string> {
  return makeClip(
    path,
    ...['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=${rate}:duration=${seconds}`],
    ...['-f', 'lavfi', '-i', `sine=frequency=440:duration=${seconds}`],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-c:a', 'aac', '-shortest'],
  );
}

/** Puts a local file, or text, in the uploads bucket; returns the media's id. */
export async function drop(cloud: Cloud, key: string, content: { file: string } | { text: string }): Promise<string> {
  const bucket = cloud.outputs.UploadsBucket ?? '';
  const body = 'file' in content ? createReadStream(content.file) : content.text;
  await developerClients(cloud).s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }));
  return mediaIdFor(bucket, key);
}

export async function readMedia(cloud: Cloud, mediaId: string): Promise<MediaRow | undefined> {
  const { Item } = await developerClients(cloud).table.send(
    new GetCommand({ TableName: cloud.outputs.Table, Key: rowKeys.media(mediaId), ConsistentRead: true }),
  );
  return Item ? MediaRow.parse(Item) : undefined;
}

export async function readJobs(cloud: Cloud, mediaId: string): Promise<JobRow[]> {
  const { Items } = await developerClients(cloud).table.send(
    new QueryCommand({
      TableName: cloud.outputs.Table,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :job)',
      ExpressionAttributeValues: { ':pk': rowKeys.media(mediaId).pk, ':job': 'JOB#' },
      ConsistentRead: true,
    }),
  );
  return (Items ?? []).map((item) => JobRow.parse(item));
}

/** Awaits a state of a media, and `jobs` jobs if that matters. @throws with the media's own error when it takes too long. */
export async function reached(cloud: Cloud, mediaId: string, state: MediaState, { jobs = 1, timeoutMs = 60_000 } = {}) {
  let last: MediaRow | undefined;
  try {
    return await eventually(
      `${mediaId} is ${state}`,
      async () => {
        last = await readMedia(cloud, mediaId);
        return last?.state === state && last.jobCount >= jobs && last;
      },
      timeoutMs,
    );
  } catch (error) {
    throw new Error(`${String(error)}; it is ${last?.state ?? 'unknown'} ${JSON.stringify(last?.error ?? '')}`);
  }
}

/** ffprobe's view of a path or URL. */
export async function probe(target: string) {
  const { stdout } = await execa(FFPROBE, ['-v', 'error', '-show_streams', '-show_format', '-of', 'json', target]);
  return JSON.parse(stdout) as {
    streams: { codec_type: string; codec_name: string; width?: number; height?: number; profile?: string }[];
    format: { duration: string; format_name: string };
  };
}

/** Decodes everything of a path or URL. @throws when ffmpeg reports any error. */
export async function decode(target: string): Promise<void> {
  const { stderr } = await execa(FFMPEG, ['-v', 'error', '-xerror', '-i', target, '-f', 'null', '-']);
  if (stderr !== '') throw new Error(`${target} does not decode cleanly: ${stderr}`);
}

/** Runs the sweep now; resolves when the function has been invoked. */
export function sweepNow(cloud: Cloud): Promise<void> {
  return cloud.fireSchedule('sweep');
}

/** Runs the sweep until `check` holds: it finds its work by indexes, which lag behind the table, so a run may miss a write before it. */
export async function sweepUntil(cloud: Cloud, what: string, check: () => Promise<boolean>): Promise<void> {
  await eventually(what, async () => {
    await sweepNow(cloud);
    return check();
  });
}

/** Runs the sweep until job `n` of a media is made. */
export function sweepUntilJob(cloud: Cloud, mediaId: string, n: number): Promise<void> {
  return sweepUntil(cloud, `job ${n} is made`, async () => ((await readMedia(cloud, mediaId))?.jobCount ?? 0) >= n);
}

/** Puts time forward past the grace of a media's previous version, and runs the sweep until its last object is removed. */
export async function graceOver(cloud: Cloud, mediaId: string): Promise<void> {
  const version = (await readMedia(cloud, mediaId))?.previous?.version;
  if (version === undefined) throw new Error(`${mediaId} has no previous version.`);
  cloud.clock.advance(25 * 3_600_000);
  // Rollbacks are refused first, then the objects go, then this row.
  await sweepUntil(cloud, 'the version before is removed', async () => {
    const Key = rowKeys.oldVersion(mediaId, version);
    const { Item } = await developerClients(cloud).table.send(new GetCommand({ TableName: cloud.outputs.Table, Key }));
    return Item === undefined;
  });
}
