import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { head, readText } from '../../aws/s3.ts';
import { apply, getJob, getMedia, getRow } from '../../aws/table.ts';
import { mediaView } from '../../core/api/views.ts';
import { TrackMessage } from '../../core/contracts/events.ts';
import { OutputFile } from '../../core/contracts/job.ts';
import { growingFolder, tmpPrefix } from '../../core/contracts/keys.ts';
import type { JobRow } from '../../core/contracts/table/jobs.ts';
import { rowKeys } from '../../core/contracts/table/keys.ts';
import { type MediaRow, OldVersionRow } from '../../core/contracts/table/media.ts';
import { newCollection } from '../../core/jobs/transitions.ts';
import { readPlaylist } from '../../core/media/hls-rules/playlist.ts';
import { growJob } from '../../functions/publish-output/grow.ts';
import { publishJob } from '../../functions/publish-output/publish.ts';
import { failJob } from '../../functions/shared/end-job.ts';
import { removeOldVersions } from '../../functions/sweep/versions.ts';
import { type TrackServices, track } from '../../functions/track-job/track.ts';
import { AwsError } from '../../local/kernel/service.ts';
import { job, MEDIA_ID, media, version } from '../support/factories.ts';
import { jobIdOf, KEYS, leaveOutput, mediaObjects, publishServices } from '../support/published.ts';
import { emptyServices, MEDIA, QUEUES, type Services, startServices, UPLOADS } from '../support/services.ts';
import { received } from '../support/swept.ts';

// Read when the logger is made, before any other line here.
vi.hoisted(() => {
  process.env.POWERTOOLS_LOG_LEVEL = 'SILENT';
});

/** Of some 200 points of death, those tried; 1 for all of them. Odd, so that both kinds are among them. */
const STEP = Number(process.env.DEATH_STEP ?? 23);

const JOB = jobIdOf(1);
const TMP = tmpPrefix(JOB);
const FOLDER = growingFolder('ann', MEDIA_ID, 1);
const LISTS = ['audio-64k', '360p'];
/** Of the film, in segments of 6 s. */
const SEGMENTS = 8;

let services: Services;
const grow = () => growJob(publishServices(services), JOB);
const publish = () => publishJob(publishServices(services), { jobId: JOB }, () => 900_000);

beforeEach(async () => {
  services = await startServices();
});
afterEach(() => services[Symbol.asyncDispose]());

/** A film of 48 s is being encoded in two chunks. */
async function begin({ media: more = {}, job: ofJob = {} }: { media?: Partial<MediaRow>; job?: Partial<JobRow> } = {}) {
  const row = media({ source: { ...media().source, bucket: UPLOADS }, ...more });
  await apply(services.table, [
    newCollection({ creatorId: 'ann', collectionId: 'talks' }, row.createdAt),
    { op: 'put', key: rowKeys.media(MEDIA_ID), row },
    { op: 'put', key: rowKeys.job(MEDIA_ID, 1), row: job({ source: row.source, part: 'chunks-2', ...ofJob }) },
  ]);
  const size = { width: 640, height: 360 };
  const video = {
    ...{ index: 0, codec: 'h264', coded: size, displayed: size, color: {}, startSeconds: 0, endSeconds: 48 },
    ...{ frameRate: { num: 25, den: 1 }, baseRate: { num: 25, den: 1 }, constantRate: true, interlaced: false },
  };
  const audio = { index: 1, codec: 'aac', channels: 2, layout: 'stereo', sampleRate: 48_000, endSeconds: 48 };
  await leave('prepared.json', {
    ...{ jobId: JOB, ends: { video: 48, audio: 48 }, audioTracks: [1], report: {}, warnings: [], chunks: 2 },
    ...{ cpuSeconds: 1, probe: { format: 'mov', startSeconds: 0, durationSeconds: 48, video, audio, skipped: [] } },
  });
}

async function leave(name: string, content: unknown): Promise<void> {
  await services.s3.send(new PutObjectCommand({ Bucket: MEDIA, Key: `${TMP}${name}`, Body: JSON.stringify(content) }));
}

async function leaveFile(folder: string, path: string, bytes: number): Promise<OutputFile> {
  const object = { Bucket: MEDIA, Key: `${TMP}${folder}${path}`, Body: Buffer.alloc(bytes) };
  const put = await services.s3.send(new PutObjectCommand({ ...object, ChecksumAlgorithm: 'CRC64NVME' }));
  return OutputFile.parse({ path, size: bytes, crc64nvme: put.ChecksumCRC64NVME, contentType: 'video/mp4' });
}

/** Segments from one on, of 10 bytes each behind an init segment of 9. */
const segments = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => ({ at: 6 * (from + i), seconds: 6, offset: 9 + 10 * i, bytes: 10 }));
const INIT = { offset: 0, bytes: 9 };

async function leavePiece(part: 0 | 'sound', from: number, to: number, end = to): Promise<void> {
  const file = await leaveFile(`chunks/${part}/a/`, `piece-${end}.mp4`, 9 + 10 * (to - from));
  const rendition = part === 0 ? { file: '360p', codec: 'avc1.64001e' } : { file: 'audio-64k', codec: 'mp4a.40.2' };
  const renditions = [{ ...rendition, init: INIT, segments: segments(from, to) }];
  await leave(`chunks/${part}/piece-${end}.json`, { folder: 'a/', file, renditions });
}

async function leaveChunk(index: number, from: number, to: number): Promise<void> {
  const file = await leaveFile(`chunks/${index}/b/`, '360p.whole.mp4', 9 + 10 * (to - from));
  const rendition = {
    ...{ file: '360p', bytes: file.size, initBytes: 9, init: 'a', first: 0, last: 1, lastDurationAt: 10 },
    ...{ codec: 'avc1.64001e', segments: segments(from, to) },
  };
  await leave(`chunks/${index}/record.json`, {
    ...{ status: 'encoded', index, pictures: 600, frames: 600, renditions: [rendition] },
    ...{ folder: 'b/', files: [file], cpuSeconds: 1 },
  });
}

/** A player that has begun with the growing version: what it has seen of each playlist, and what it must never see. */
function player() {
  const seen = new Map<string, string>();
  const faults: string[] = [];
  return {
    faults,
    async look(): Promise<void> {
      for (const list of LISTS) {
        const text = await readText(services.s3, { bucket: MEDIA, key: `${FOLDER}${list}.m3u8` });
        if (text === null) {
          if (seen.has(list)) faults.push(`${list} is gone`);
          continue;
        }
        if (!text.startsWith(seen.get(list) ?? '')) faults.push(`${list} is not what it was, with more at its end`);
        seen.set(list, text);
        const playlist = readPlaylist(text, list);
        for (const { uri, range } of playlist.segments) {
          const { pathname } = new URL(uri, `http://a/${FOLDER}`);
          const object = await head(services.s3, { bucket: MEDIA, key: pathname.slice(1) });
          if (!object || object.size < (range?.offset ?? 0)) faults.push(`${uri} is missing`);
        }
      }
    },
    /** How many segments of each playlist there are, and whether it has its end. */
    has: () =>
      LISTS.map((list) => {
        const text = seen.get(list) ?? '';
        return `${list} ${readPlaylist(text, list).segments.length}${text.endsWith('#EXT-X-ENDLIST\n') ? ' end' : ''}`;
      }),
  };
}

/** The part of sweep that removes what has expired, so many minutes from now. */
async function expire(minutes: number): Promise<void> {
  const { s3, table } = services;
  const now = new Date(Date.now() + minutes * 60_000).toISOString();
  const run = { s3, table, mediaBucket: MEDIA, now, timeIsUp: () => false, report: () => undefined };
  await removeOldVersions(run as unknown as Parameters<typeof removeOldVersions>[0]);
}

const view = async () => {
  const row = await getMedia(services.table, MEDIA_ID);
  if (!row) throw new Error('There is no media.');
  return mediaView(row, { deliveryUrl: 'https://d', maxAttempts: 3, now: new Date().toISOString() });
};
const leaveWhole = () => leaveOutput(services, 1, { rungs: ['360p'], segments: SEGMENTS, poster: true, oneFile: true });
async function succeed(): Promise<void> {
  await leaveWhole();
  await apply(services.table, [
    { op: 'update', key: rowKeys.job(MEDIA_ID, 1), expect: {}, set: { state: 'succeeded' } },
  ]);
}

it('shows the beginning as soon as pictures and sound have one, and grows in order to its end, which the whole version has', async () => {
  await begin();
  const viewer = player();
  await leavePiece(0, 0, 2);
  await grow();
  expect(await view()).toMatchObject({ state: 'transcoding', playable: false });
  await leavePiece('sound', 0, 2);
  await grow();
  const began = await view();
  expect(began).toMatchObject({ state: 'transcoding', playable: true, playback: { hls: `https://d/${KEYS.master}` } });
  expect(began.playableAt).toMatch(/^20/);
  expect(await readText(services.s3, { bucket: MEDIA, key: KEYS.master })).toContain('\ng1/360p.m3u8\n');
  await viewer.look();
  expect(viewer.has()).toEqual(['audio-64k 2', '360p 2']);
  // The second chunk is not the next one.
  await leaveChunk(1, 4, 8);
  await grow();
  await viewer.look();
  expect(viewer.has()).toEqual(['audio-64k 2', '360p 2']);
  await leaveChunk(0, 0, 4);
  await leavePiece('sound', 2, 8, 16);
  await grow();
  await viewer.look();
  expect(viewer.has()).toEqual(['audio-64k 8', '360p 8']);
  await succeed();
  await publish();
  await viewer.look();
  expect(viewer.has()).toEqual(['audio-64k 8 end', '360p 8 end']);
  expect(viewer.faults).toEqual([]);
  expect(await view()).toMatchObject({
    state: 'ready',
    playable: true,
    playableAt: began.playableAt,
    version: { n: 1 },
  });
  expect(await getRow(services.table, rowKeys.grown(MEDIA_ID, 1), OldVersionRow)).toMatchObject({ grown: true });
  // A message that comes late changes nothing.
  await grow();
  await viewer.look();
  expect(viewer.faults).toEqual([]);
  expect((await head(services.s3, { bucket: MEDIA, key: KEYS.master }))?.metadata).toEqual({ job: JOB });
});

it('a player watches it to its end, whenever its publisher dies', async () => {
  let points = 0;
  for (let at = 1; ; at += STEP) {
    await begin();
    const viewer = player();
    // Each call in turn fails before it is done, then, at the next number, after it: an answer that got lost.
    let calls = 0;
    services.onCall = (when, { service }) => {
      if (service !== 's3' && service !== 'dynamodb') return;
      if (when === 'before') calls += 1;
      const end = Math.ceil(at / 2);
      if (calls > end || (calls === end && when === (at % 2 ? 'before' : 'after'))) {
        throw new AwsError('ServiceUnavailable', 503, 'The publisher is dead.');
      }
    };
    let died = false;
    const attempt = async (work: () => Promise<void>) => {
      await work().catch(() => {
        died = true;
      });
      await viewer.look();
    };
    await leavePiece(0, 0, 2);
    await leavePiece('sound', 0, 2);
    await attempt(grow);
    await leaveChunk(0, 0, 4);
    await attempt(grow);
    await succeed();
    await attempt(publish);
    services.onCall = () => {};
    // Its messages come again, in any order.
    await attempt(grow);
    await attempt(publish);
    await attempt(grow);
    expect(viewer.faults, `dead at call ${Math.ceil(at / 2)}`).toEqual([]);
    expect(await view(), `dead at call ${Math.ceil(at / 2)}`).toMatchObject({ state: 'ready', version: { n: 1 } });
    const began = (await getJob(services.table, MEDIA_ID, 1))?.growing !== undefined;
    if (began) expect(viewer.has(), `dead at call ${Math.ceil(at / 2)}`).toEqual(['audio-64k 8 end', '360p 8 end']);
    expect((await head(services.s3, { bucket: MEDIA, key: KEYS.master }))?.metadata).toEqual({ job: JOB });
    if (!died) break;
    points += STEP;
    await emptyServices(services);
  }
  expect(points).toBeGreaterThan(60);
}, 300_000);

it('publishes the whole version where what grew cannot be read', async () => {
  await begin();
  await leavePiece(0, 0, 2);
  await leavePiece('sound', 0, 2);
  await grow();
  const ofAnother = { Bucket: MEDIA, Key: `${FOLDER}growing.json`, Body: '{"step":"of another release"}' };
  await services.s3.send(new PutObjectCommand(ofAnother));
  await succeed();
  await publish();
  expect(await view()).toMatchObject({ state: 'ready', version: { n: 1 } });
  expect((await head(services.s3, { bucket: MEDIA, key: KEYS.master }))?.metadata).toEqual({ job: JOB });
});

it('a report of a piece asks the publisher, once for each', async () => {
  await begin();
  const { table, s3, sqs } = services;
  const urls = { mediaBucket: MEDIA, ingestQueueUrl: QUEUES.ingest, publishQueueUrl: QUEUES.publish };
  const tracking = { table, s3, sqs, ...urls } as unknown as TrackServices;
  const at = new Date().toISOString();
  const report = (more: object) => ({
    ...{ id: '1', time: at, source: 'dropreel.worker', 'detail-type': 'Job Progress' },
    detail: {
      ...{ jobId: JOB, engineJobId: 'batch-1', attempt: 1, part: 'chunks-2', at, phase: 'transcoding', percent: 30 },
      child: { index: 0, of: 3, startedAt: at, ...more },
    },
  });
  await track(tracking, TrackMessage.parse(report({})));
  await track(tracking, TrackMessage.parse(report({ piece: true })));
  expect(await received(services, QUEUES.publish)).toEqual([{ jobId: JOB, grow: true }]);
});

it('two calls at once, and those that come twice, add nothing twice', async () => {
  await begin();
  const viewer = player();
  await leavePiece(0, 0, 2);
  await leavePiece('sound', 0, 2);
  await Promise.all([grow(), grow(), grow()]);
  await grow();
  await viewer.look();
  await leaveChunk(0, 0, 4);
  await Promise.all([grow(), grow(), grow()]);
  await grow();
  await viewer.look();
  expect(viewer.has()).toEqual(['audio-64k 2', '360p 4']);
  expect(viewer.faults).toEqual([]);
});

it('a failure takes back what was shown', async () => {
  await begin();
  await leavePiece(0, 0, 2);
  await leavePiece('sound', 0, 2);
  await grow();
  expect((await view()).playable).toBe(true);
  const { table, sqs } = services;
  const urls = { ingestQueueUrl: QUEUES.ingest, publishQueueUrl: QUEUES.publish };
  await failJob({ table, sqs, ...urls }, JOB, { code: 'corrupt', message: 'It is damaged.' });
  const failed = await view();
  expect(failed).toMatchObject({ state: 'failed', playable: false });
  expect(failed).not.toHaveProperty('playableAt');
  expect(failed).not.toHaveProperty('playback');
  // By the message that failJob has sent.
  await grow();
  expect(await mediaObjects(services, KEYS.master)).toEqual([]);
  // What lies under its folder is removed when nobody can still be writing there.
  expect(await getRow(table, rowKeys.oldVersion(MEDIA_ID, 1), OldVersionRow)).toMatchObject({ version: 1 });
});

it('sweep removes what was shown after its grace, and the pointer where no message has taken it back', async () => {
  await begin();
  await leavePiece(0, 0, 2);
  await leavePiece('sound', 0, 2);
  await grow();
  const { table, sqs } = services;
  const urls = { ingestQueueUrl: QUEUES.ingest, publishQueueUrl: QUEUES.publish };
  await failJob({ table, sqs, ...urls }, JOB, { code: 'corrupt', message: 'It is damaged.' });
  await expire(17);
  expect(await mediaObjects(services, 'ann/')).toEqual([]);
  await emptyServices(services);
  await begin();
  await leavePiece(0, 0, 2);
  await leavePiece('sound', 0, 2);
  await grow();
  await succeed();
  await publish();
  await expire(23 * 60);
  expect(await mediaObjects(services, FOLDER)).toHaveLength(5);
  await expire(25 * 60);
  expect(await mediaObjects(services, FOLDER)).toEqual([]);
  expect(await getRow(table, rowKeys.grown(MEDIA_ID, 1), OldVersionRow)).toBeNull();
  expect((await head(services.s3, { bucket: MEDIA, key: KEYS.master }))?.metadata).toEqual({ job: JOB });
  expect(await mediaObjects(services, KEYS.version(1).hls)).not.toEqual([]);
});

it.each<[string, Parameters<typeof begin>[0]]>([
  ['a re-transcode', { job: { purpose: 'retranscode' }, media: { state: 'retranscoding', current: version(7) } }],
  ['an upload that replaces what plays', { media: { current: version(7) } }],
  ['an older job', { media: { jobId: jobIdOf(2) } }],
  ['a job of a deleted media item', { media: { state: 'deleting' } }],
])('%s shows nothing early', async (_, rows) => {
  await begin(rows);
  await leavePiece(0, 0, 2);
  await leavePiece('sound', 0, 2);
  await grow();
  expect(await mediaObjects(services, 'ann/')).toEqual([]);
});
