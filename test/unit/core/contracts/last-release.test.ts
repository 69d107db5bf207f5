import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import {
  DeliveryMessage,
  JobProgress,
  MediaStateChanged,
  ObjectCreated,
  PublishMessage,
  TrackMessage,
} from '../../../../core/contracts/events.ts';
import { Claim, Job, Result } from '../../../../core/contracts/job.ts';
import { CollectionRow } from '../../../../core/contracts/table/collections.ts';
import { JobRow } from '../../../../core/contracts/table/jobs.ts';
import { MediaRow, OldVersionRow, TombstoneRow, UploadRow } from '../../../../core/contracts/table/media.ts';
import { SweepRow } from '../../../../core/contracts/table/sweep.ts';
import { DeliveryRow, EndpointRow } from '../../../../core/contracts/table/webhooks.ts';
import { readEvent } from '../../../../engines/batch/events.ts';

/**
 * What release 0.1.0 leaves when this one is deployed over it: rows, messages that wait for up to 14 days, jobs of an old worker.
 * Nothing here is changed when a schema is: a schema that does not read one of them breaks an upgrade. docs/operating.md, "Upgrading, and going back".
 */

const MEDIA_ID = 'abcdefghijklmnopqrstuvwxy2';
const AT = '2026-11-20T10:00:00.000Z';
const LATER = '2026-11-20T10:05:00.000Z';

const source = {
  bucket: 'uploads',
  key: 'drop/ann/films/clip.mp4',
  versionId: '3sL4kqtJlcpXroDTDmJ',
  sequencer: '0062E99A88DC407460',
  size: 1_205_512,
  etag: '"9b2cf535f27731c974343645a3985328"',
};
const preset = { name: 'standard', version: 1 };
const rendition = {
  name: '1080p',
  width: 1920,
  height: 1080,
  frameRate: 24,
  codecs: 'avc1.4d4028,mp4a.40.2',
  bandwidth: 4_100_000,
  averageBandwidth: 3_900_000,
  durationSeconds: 1,
  bytes: 500_000,
};
const sourceInfo = {
  durationSeconds: 1,
  width: 1920,
  height: 1080,
  frameRate: 24,
  videoCodec: 'avc',
  audioCodec: 'aac',
};
const version = {
  version: 1,
  jobId: `${MEDIA_ID}-1`,
  publishedAt: AT,
  outputs: {
    master: `ann/hls/${MEDIA_ID}/v1/master.m3u8`,
    preview: `ann/hls/${MEDIA_ID}/preview/v1/preview.m3u8`,
    mp4: `ann/mp4/${MEDIA_ID}/v1.mp4`,
    thumbnail: `ann/thumbnails/media/${MEDIA_ID}/v1/auto-generated.jpg`,
    poster: `ann/thumbnails/media/${MEDIA_ID}/v1/poster.jpg`,
  },
  renditions: [rendition],
  preset,
  bytes: 900_000,
  access: 'public',
  source,
};
const ready = {
  type: 'media',
  mediaId: MEDIA_ID,
  creatorId: 'ann',
  collectionId: 'films',
  owner: 'ann',
  collection: 'ann#films',
  title: 'clip',
  kind: 'video',
  state: 'ready',
  seq: 4,
  source,
  sourceSeenAt: AT,
  sourceInfo,
  jobId: `${MEDIA_ID}-2`,
  jobCount: 2,
  attempts: 0,
  current: { ...version, version: 2, jobId: `${MEDIA_ID}-2` },
  previous: { ...version, expiresAt: LATER },
  scheduleRetranscode: false,
  createdAt: AT,
  updatedAt: LATER,
};
const job = {
  type: 'job',
  jobId: `${MEDIA_ID}-2`,
  mediaId: MEDIA_ID,
  creatorId: 'ann',
  collectionId: 'films',
  n: 2,
  purpose: 'retranscode',
  engine: 'batch-cpu',
  engineJobId: '0d2b8e1c-9d2e-4a5b-8f3e-1b2c3d4e5f60',
  state: 'running',
  source,
  preset,
  steps: [{ name: 'pulled', at: AT }],
  progress: 40,
  speed: 1.2,
  attempt: 1,
  heartbeatAt: AT,
  createdAt: AT,
  startedAt: AT,
  todo: 'retranscode-job',
  todoAt: LATER,
};
const endpoint = {
  type: 'webhook',
  endpointId: 'wh_abcdefghijklmnop',
  creatorId: 'ann',
  url: 'https://example.com/hook',
  events: [],
  description: '',
  enabled: true,
  secrets: [{ secret: 'whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=' }],
  createdAt: AT,
  updatedAt: AT,
};
const delivery = {
  type: 'delivery',
  deliveryId: `1763632800000-evt_${MEDIA_ID}_4`,
  endpointId: 'wh_abcdefghijklmnop',
  creatorId: 'ann',
  eventId: `evt_${MEDIA_ID}_4`,
  event: 'media.ready',
  mediaId: MEDIA_ID,
  seq: 4,
  payload: '{"type":"media.ready"}',
  status: 'pending',
  attempts: 1,
  log: [{ at: AT, status: 500, latencyMs: 12 }],
  deadline: LATER,
  nextAttemptAt: LATER,
  changedAt: AT,
  expiresAt: 1_766_224_800,
};

const ROWS: [name: string, schema: z.ZodType, row: object][] = [
  ['a media item that is ready', MediaRow, ready],
  [
    'a media item that failed',
    MediaRow,
    { ...ready, state: 'failed', current: undefined, error: { code: 'truncated', message: 'It is cut off.', at: AT } },
  ],
  ['a job that runs', JobRow, job],
  [
    'a job that is published',
    JobRow,
    { ...job, state: 'published', cost: { usd: 0.01, vcpuSeconds: 60 }, finishedAt: LATER, expiresAt: 1_766_224_800 },
  ],
  [
    'a collection',
    CollectionRow,
    {
      type: 'collection',
      creatorId: 'ann',
      collectionId: 'films',
      title: 'Films',
      preset: 'standard',
      engine: 'batch-cpu',
      deleteOriginal: false,
      retranscodeFromOutput: false,
      playback: 'public',
      scheduleRetranscode: false,
      createdAt: AT,
      updatedAt: AT,
    },
  ],
  [
    'an old version',
    OldVersionRow,
    { type: 'old-version', mediaId: MEDIA_ID, creatorId: 'ann', version: 1, todo: 'expire', todoAt: LATER },
  ],
  ['a tombstone', TombstoneRow, { type: 'tombstone', jobCount: 2, seq: 5, expiresAt: 1_766_224_800 }],
  [
    'the row of sweep',
    SweepRow,
    { type: 'sweep', lastRunAt: AT, tookMs: 900, report: { mediaFlagged: 0 }, dropAfter: 'drop/a' },
  ],
  ['a webhook endpoint', EndpointRow, endpoint],
  ['a webhook delivery', DeliveryRow, delivery],
  [
    'an announced upload',
    UploadRow,
    {
      type: 'upload',
      mediaId: MEDIA_ID,
      key: 'drop/ann/films/clip.mp4',
      fileName: 'clip.mp4',
      size: 10,
      contentType: 'video/mp4',
      announcedAt: AT,
      deadline: LATER,
      expiresAt: 1_766_224_800,
    },
  ],
];

const batchEvent = {
  id: 'c8f9c4b5-76e5-d76a-f980-7011e206042b',
  time: '2026-11-20T10:00:00Z',
  source: 'aws.batch',
  'detail-type': 'Batch Job State Change',
  detail: {
    jobId: job.engineJobId,
    jobName: job.jobId,
    jobQueue: 'arn:aws:batch:us-east-1:123456789012:job-queue/ingest',
    status: 'SUCCEEDED',
    attempts: [{}],
    container: { exitCode: 0 },
  },
};
const progress = {
  id: 'c8f9c4b5-76e5-d76a-f980-7011e206042c',
  time: '2026-11-20T10:00:00Z',
  source: 'dropreel.worker',
  'detail-type': 'Job Progress',
  detail: { jobId: job.jobId, engineJobId: job.engineJobId, attempt: 1, at: AT, phase: 'transcoding', percent: 40 },
};

const MESSAGES: [name: string, schema: z.ZodType, message: object][] = [
  [
    "S3's event of an upload",
    ObjectCreated,
    {
      id: 'c8f9c4b5-76e5-d76a-f980-7011e206042d',
      time: '2026-11-20T10:00:00Z',
      source: 'aws.s3',
      'detail-type': 'Object Created',
      detail: {
        bucket: { name: 'uploads' },
        object: {
          key: source.key,
          size: source.size,
          etag: source.etag,
          'version-id': source.versionId,
          sequencer: source.sequencer,
        },
      },
    },
  ],
  ["AWS Batch's event of a job", TrackMessage, batchEvent],
  ["a worker's progress", JobProgress, progress],
  ["a worker's progress, for track-job", TrackMessage, progress],
  ['a publish that was cut off', PublishMessage, { jobId: job.jobId, copied: 12 }],
  ['a rollback', PublishMessage, { jobId: job.jobId, rollback: true, at: AT }],
  [
    'a change of state',
    MediaStateChanged,
    {
      source: 'dropreel',
      'detail-type': 'Media State Changed',
      detail: {
        mediaId: MEDIA_ID,
        creatorId: 'ann',
        collectionId: 'films',
        title: 'clip',
        from: 'transcoding',
        to: 'ready',
        seq: 4,
        at: AT,
        jobId: job.jobId,
      },
    },
  ],
  [
    'a webhook delivery that is due',
    DeliveryMessage,
    { endpointId: endpoint.endpointId, creatorId: 'ann', deliveryId: delivery.deliveryId, dueAt: LATER },
  ],
];

const file = {
  path: 'master.m3u8',
  size: 400,
  crc64nvme: 'AAAAAAAAAAA=',
  contentType: 'application/vnd.apple.mpegurl',
};

const FILES: [name: string, schema: z.ZodType, file: object][] = [
  [
    'the job of a waiting worker',
    Job,
    {
      jobId: job.jobId,
      mediaId: MEDIA_ID,
      creatorId: 'ann',
      source,
      output: { bucket: 'media', prefix: `tmp/${job.jobId}/` },
      preset: {
        ...preset,
        rungs: [{ name: '360p', shortSide: 360, maxBitrate: 500_000, audio: '64k' }],
        crf: 23,
        outputs: { mp4: true, preview: true, poster: true, thumbnail: true, waveform: true },
      },
    },
  ],
  ['a claim', Claim, { jobId: job.jobId, engineJobId: job.engineJobId }],
  [
    'a result that is not yet published',
    Result,
    {
      status: 'succeeded',
      jobId: job.jobId,
      kind: 'video',
      source: sourceInfo,
      audio: [
        {
          id: 'audio-128k',
          playlist: 'audio-128k.m3u8',
          codecs: 'mp4a.40.2',
          channels: 2,
          bandwidth: 130_000,
          averageBandwidth: 128_000,
          bytes: 16_000,
          durationSeconds: 1,
        },
      ],
      renditions: [{ ...rendition, playlist: '1080p.m3u8', audio: 'audio-128k' }],
      preview: { playlists: ['preview/preview.m3u8'], shared: ['1080p/init.mp4'], durationSeconds: 1 },
      mp4: 'video.mp4',
      thumbnail: 'auto-generated.jpg',
      poster: 'poster.jpg',
      files: [file],
      preset,
      skipped: [{ what: 'data track', why: 'It is neither video nor audio.' }],
      usage: { wallSeconds: 4, cpuSeconds: 8 },
    },
  ],
  ['a failure', Result, { status: 'failed', jobId: job.jobId, error: { code: 'corrupt', message: 'It is damaged.' } }],
];

describe('of release 0.1.0', () => {
  it("AWS Batch's event of a job is read by its engine", () => {
    expect(readEvent(batchEvent)).toMatchObject({ kind: 'ended', jobId: job.jobId, engineJobId: job.engineJobId });
  });

  it.each([...ROWS, ...MESSAGES, ...FILES])('%s is read', (_, schema, value) => {
    expect(schema.safeParse(value).error).toBeUndefined();
  });
});
