import { basename } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { eachLimit } from '../../aws/concurrency.ts';
import { head, listPage, readText } from '../../aws/s3.ts';
import { apply, getMedia } from '../../aws/table.ts';
import { OutputFile, type Succeeded } from '../../core/contracts/job.ts';
import { mediaKeys, tmpPrefix } from '../../core/contracts/keys.ts';
import { PRESETS } from '../../core/contracts/presets.ts';
import { rowKeys } from '../../core/contracts/table/keys.ts';
import { newCollection, startAgain } from '../../core/jobs/transitions.ts';
import { playlistUris } from '../../core/publish/playlist-uris.ts';
import { publishJob } from '../../functions/publish-output/publish.ts';
import type { PublishServices } from '../../functions/publish-output/services.ts';
import { job, MEDIA_ID, media, result } from './factories.ts';
import { MEDIA, QUEUES, type Services, startServices, UPLOADS } from './services.ts';

/** Below the sockets that the SDK opens. */
const AT_ONCE = 40;

export const KEYS = mediaKeys('ann', MEDIA_ID);
export const jobIdOf = (n: number) => `${MEDIA_ID}-${n}`;

export function publishServices({ breakable }: Services, graceHours = 24): PublishServices {
  const { s3, sqs, table } = breakable;
  return {
    s3,
    sqs,
    table,
    mediaBucket: MEDIA,
    uploadsBucket: UPLOADS,
    publishQueueUrl: QUEUES.publish,
    ingestQueueUrl: QUEUES.ingest,
    graceHours,
  };
}

/** Every file of a version says which version it is of, so that a mixture shows. */
export interface Shape {
  rungs: string[];
  segments: number;
  poster: boolean;
  /**
   * Each rendition in one file, and the playlists both in the result and as files, as the worker makes them. Otherwise a file for each
   * segment and each playlist, as in 0.1.0.
   */
  oneFile?: true;
}
export const SMALL: Shape = { rungs: ['360p'], segments: 2, poster: true };

/** Renditions of sound of a version that has one file for each. */
const SOUND = ['audio-128k', 'audio-64k'] as const;

/** Writes what the worker of job `n` would have left under tmp/, result.json last, and returns that result. */
export async function leaveOutput(services: Services, n: number, shape: Shape = SMALL): Promise<Succeeded> {
  const files: OutputFile[] = [];
  const playlists: Record<string, string> = {};
  const put = async (path: string, text: string, contentType: string) => {
    files.push(await putFile(services, `${tmpPrefix(jobIdOf(n))}${path}`, path, text, contentType));
  };
  const [first = ''] = shape.rungs;
  for (const name of shape.oneFile ? [...shape.rungs, ...SOUND] : []) {
    playlists[`${name}.m3u8`] = rangedPlaylist(name, shape.segments);
    await put(`${name}.mp4`, `${name} of version ${n}`, 'video/mp4');
  }
  for (const rung of shape.oneFile ? [...shape.rungs, `preview/${first}`] : []) {
    playlists[`${rung}-iframes.m3u8`] = rangedPlaylist(basename(rung), 3);
  }
  for (const name of shape.oneFile ? [first, SOUND[0]] : []) {
    playlists[`preview/${name}.m3u8`] = rangedPlaylist(name, 5);
    await put(`preview/${name}.mp4`, `preview of version ${n}`, 'video/mp4');
  }
  for (const rung of shape.oneFile ? [] : shape.rungs) {
    const segments = Array.from({ length: shape.segments }, (_, i) => `${rung}_${String(i).padStart(3, '0')}.m4s`);
    const lines = segments.flatMap((name) => ['#EXTINF:6.0,', name]);
    const playlist = ['#EXTM3U', `#EXT-X-MAP:URI="${rung}_init.mp4"`, ...lines, '#EXT-X-ENDLIST', ''].join('\n');
    await put(`${rung}.m3u8`, playlist, 'application/vnd.apple.mpegurl');
    await put(`${rung}_init.mp4`, `init of version ${n}`, 'video/mp4');
    await eachLimit(segments, AT_ONCE, (name) => put(name, `${name} of version ${n}`, 'video/iso.segment'));
  }
  const preview = `#EXTM3U\n#EXT-X-MAP:URI="${first}_init.mp4"\n#EXTINF:6.0,\n${first}_000.m4s\n#EXT-X-ENDLIST\n`;
  if (shape.oneFile) playlists['preview/preview.m3u8'] = rangedPlaylist(first, 5);
  else await put('preview/preview.m3u8', preview, 'application/vnd.apple.mpegurl');
  for (const [path, text] of Object.entries(playlists)) await put(path, text, 'application/vnd.apple.mpegurl');
  await put('full.mp4', `mp4 of version ${n}`, 'video/mp4');
  if (!shape.oneFile) await put('waveform.json', `{"version":${n}}`, 'application/json');
  if (shape.poster) await put('poster.jpg', `poster of version ${n}`, 'image/jpeg');
  if (shape.oneFile) await put('poster-large.jpg', `large poster of version ${n}`, 'image/jpeg');
  if (shape.oneFile) await put('thumbnail.jpg', `thumbnail of version ${n}`, 'image/jpeg');
  const { thumbnail, waveform, poster: _, ...base } = result();
  const [rendition] = base.renditions;
  if (!rendition) throw new Error('The factory has no rendition.');
  const made: Succeeded = {
    ...base,
    jobId: jobIdOf(n),
    files: files.sort((a, b) => (a.path < b.path ? -1 : 1)),
    ...(shape.oneFile && { playlists }),
    renditions: shape.rungs.map((name) => ({
      ...{ ...rendition, name, playlist: `${name}.m3u8` },
      ...(shape.oneFile && { file: { uri: `${name}.mp4`, initBytes: 9, indexBytes: 9 } }),
    })),
    preview: shape.oneFile
      ? {
          playlists: files.map(({ path }) => path).filter((path) => path.startsWith('preview/')),
          ...{ shared: [], durationSeconds: 30 },
        }
      : {
          playlists: ['preview/preview.m3u8'],
          shared: [`${first}_init.mp4`, `${first}_000.m4s`],
          durationSeconds: 6,
        },
    ...(shape.poster && { poster: 'poster.jpg' }),
    ...(shape.oneFile ? { thumbnail, posterLarge: 'poster-large.jpg' } : { waveform }),
  };
  await leaveResult(services, made);
  return made;
}

export async function leaveResult(services: Services, made: Succeeded): Promise<void> {
  const key = `${tmpPrefix(made.jobId)}result.json`;
  await putFile(services, key, 'result.json', JSON.stringify(made), 'application/json');
}

function rangedPlaylist(rung: string, segments: number): string {
  const lines = Array.from({ length: segments }, (_, i) => `#EXTINF:6.0,\n#EXT-X-BYTERANGE:9@${i + 9}\n${rung}.mp4`);
  return ['#EXTM3U', `#EXT-X-MAP:URI="${rung}.mp4",BYTERANGE="9@0"`, ...lines, '#EXT-X-ENDLIST', ''].join('\n');
}

async function putFile({ s3 }: Services, Key: string, path: string, text: string, contentType: string) {
  const answer = await s3.send(
    new PutObjectCommand({
      Bucket: MEDIA,
      Key,
      Body: text,
      ContentType: contentType,
      ChecksumAlgorithm: 'CRC64NVME',
    }),
  );
  const crc64nvme = answer.ChecksumCRC64NVME;
  return OutputFile.parse({ path, size: Buffer.byteLength(text), crc64nvme, contentType });
}

/** The rows of a first upload whose job 1 has succeeded. */
export async function firstUpload({ table }: Services): Promise<void> {
  const location = { creatorId: 'ann', collectionId: 'talks', path: 'one.mp4' };
  const row = media({ state: 'transcoding', source: { ...media().source, bucket: UPLOADS } });
  const first = job({ state: 'succeeded', source: row.source });
  const made = await apply(table, [
    newCollection(location, row.createdAt),
    { op: 'put', key: rowKeys.media(MEDIA_ID), row },
    { op: 'put', key: rowKeys.job(MEDIA_ID, 1), row: first },
  ]);
  if (made !== 'applied') throw new Error('The rows are there already.');
}

/** Starts the next job, and lets it have succeeded. Returns its number. */
export async function nextJob({ table }: Services): Promise<number> {
  const row = await getMedia(table, MEDIA_ID);
  const preset = PRESETS.standard;
  if (!row || !preset) throw new Error('There is no media.');
  const now = new Date().toISOString();
  const outcome = startAgain(row, { purpose: 'retranscode', source: row.source, preset, engine: 'batch-cpu', now });
  if ('refused' in outcome) throw new Error(outcome.refused);
  await apply(table, outcome.change);
  const { n } = outcome.job;
  await apply(table, [{ op: 'update', key: rowKeys.job(MEDIA_ID, n), expect: {}, set: { state: 'succeeded' } }]);
  return n;
}

/**
 * What a player meets: the master playlist, every playlist that it names, every segment of these, and the preview.
 * Returns which version it is of. Throws when anything is missing or of two versions.
 */
export async function watch(services: Services): Promise<{ version: number; fetched: number; rungs: string[] }> {
  const seen = new Set<string>();
  let fetched = 0;
  const fetchText = async (key: string) => {
    const text = await readText(services.s3, { bucket: MEDIA, key });
    if (text === null) throw new Error(`A viewer misses ${key}.`);
    fetched++;
    const [, version] = /version (\d+)$/.exec(text) ?? [];
    if (version) seen.add(version);
    return text;
  };
  const follow = async (key: string): Promise<void> => {
    const folder = key.slice(0, key.lastIndexOf('/') + 1);
    for (const uri of new Set(playlistUris(await fetchText(key)))) {
      if (uri.endsWith('.m3u8')) await follow(`${folder}${uri}`);
      else await fetchText(`${folder}${uri}`);
    }
  };
  await follow(KEYS.master);
  const rungs = playlistUris(await fetchText(KEYS.master)).map((uri) => uri.replace(/^v\d+\/|\.m3u8$/g, ''));
  if (seen.size !== 1) throw new Error(`A viewer sees the versions ${[...seen].join(' and ')} in one stream.`);
  const [version] = seen;
  seen.clear();
  await follow(KEYS.preview);
  if (seen.size !== 1) throw new Error(`A viewer sees the versions ${[...seen].join(' and ')} in one preview.`);
  return { version: Number(version), fetched, rungs };
}

/** Every object of the media bucket. */
export async function mediaObjects({ s3 }: Services, prefix = ''): Promise<string[]> {
  const { items } = await listPage(s3, { bucket: MEDIA, prefix });
  return items.map(({ key }) => key);
}

export async function pointerJob({ s3 }: Services, key: string): Promise<string | undefined> {
  return (await head(s3, { bucket: MEDIA, key }))?.metadata.job;
}

/** Services with a media whose version 1 viewers have. */
export async function startPublished(): Promise<Services> {
  const services = await startServices();
  await firstUpload(services);
  await leaveOutput(services, 1);
  await publishJob(publishServices(services), { jobId: jobIdOf(1) }, () => 900_000);
  return services;
}
