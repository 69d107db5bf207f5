import type { Succeeded } from '../../core/contracts/job.ts';
import type { JobRow } from '../../core/contracts/table/jobs.ts';
import type { MediaRow, PublishedVersion, Source } from '../../core/contracts/table/media.ts';
import type { Change, Outcome, Update } from '../../core/jobs/change.ts';

export const MEDIA_ID = 'abcdefghijklmnopqrstuvwxyz';
export const NOW = '2026-11-21T12:00:00.000Z';
export const EARLIER = '2026-11-21T11:00:00.000Z';
export const LATER = '2026-11-22T12:00:00.000Z';
export const MEDIA_KEY = { pk: `MEDIA#${MEDIA_ID}`, sk: 'MEDIA' };

export const source = (more: Partial<Source> = {}): Source => ({
  bucket: 'uploads',
  key: 'drop/ann/talks/one.mp4',
  versionId: 'v-a',
  sequencer: '0A',
  size: 1000,
  etag: '"aa"',
  ...more,
});

export const media = (more: Partial<MediaRow> = {}): MediaRow => ({
  type: 'media',
  mediaId: MEDIA_ID,
  creatorId: 'ann',
  collectionId: 'talks',
  owner: 'ann',
  collection: 'ann#talks',
  title: 'one.mp4',
  state: 'transcoding',
  seq: 2,
  source: source(),
  jobId: `${MEDIA_ID}-1`,
  jobCount: 1,
  attempts: 1,
  scheduleRetranscode: false,
  createdAt: EARLIER,
  updatedAt: EARLIER,
  ...more,
});

export const job = (more: Partial<JobRow> = {}): JobRow => {
  const n = more.n ?? 1;
  return {
    type: 'job',
    jobId: `${MEDIA_ID}-${n}`,
    mediaId: MEDIA_ID,
    creatorId: 'ann',
    collectionId: 'talks',
    n,
    purpose: 'ingest',
    engine: 'batch-cpu',
    engineJobId: 'batch-1',
    state: 'running',
    source: source(),
    preset: { name: 'standard', version: 1 },
    steps: [],
    progress: 10,
    attempt: 1,
    heartbeatAt: EARLIER,
    createdAt: EARLIER,
    startedAt: EARLIER,
    todo: 'job',
    todoAt: '2026-11-21T11:15:00.000Z',
    ...more,
  };
};

export const version = (n: number, more: Partial<PublishedVersion> = {}): PublishedVersion => ({
  version: n,
  jobId: `${MEDIA_ID}-${n}`,
  publishedAt: EARLIER,
  outputs: { master: `ann/hls/${MEDIA_ID}/master.m3u8`, mp4: `ann/mp4/${MEDIA_ID}/v${n}.mp4` },
  renditions: [],
  preset: { name: 'standard', version: 1 },
  bytes: 5000,
  source: source(),
  ...more,
});

const crc = (n: number) => `crc${n}`;
export const file = (path: string, n: number, contentType = 'video/mp4') => ({
  path,
  size: n,
  crc64nvme: crc(n),
  contentType,
});

export const result = (more: Partial<Succeeded> = {}): Succeeded => ({
  status: 'succeeded',
  jobId: `${MEDIA_ID}-1`,
  kind: 'video',
  source: { durationSeconds: 12, width: 640, height: 360 },
  audio: [],
  renditions: [
    {
      name: '360p',
      width: 640,
      height: 360,
      codecs: 'avc1.4d401e,mp4a.40.2',
      bandwidth: 700_000,
      averageBandwidth: 500_000,
      durationSeconds: 12,
      bytes: 50,
      playlist: '360p.m3u8',
    },
  ],
  files: [
    file('360p.m3u8', 1, 'application/vnd.apple.mpegurl'),
    file('360p_init.mp4', 2),
    file('360p_000.m4s', 3),
    file('360p_001.m4s', 4),
    file('preview/preview.m3u8', 5, 'application/vnd.apple.mpegurl'),
    file('full.mp4', 6),
    file('thumbnail.jpg', 7, 'image/jpeg'),
    file('poster.jpg', 8, 'image/jpeg'),
    file('waveform.json', 9, 'application/json'),
  ],
  preview: { playlists: ['preview/preview.m3u8'], shared: ['360p_init.mp4', '360p_000.m4s'], durationSeconds: 6 },
  mp4: 'full.mp4',
  thumbnail: 'thumbnail.jpg',
  poster: 'poster.jpg',
  waveform: 'waveform.json',
  preset: { name: 'standard', version: 1 },
  skipped: [],
  usage: { wallSeconds: 10, cpuSeconds: 3600 },
  ...more,
});

/** The change of an outcome that must have one. */
export function changeOf(outcome: Outcome): Change {
  if ('refused' in outcome) throw new Error(`No change: ${outcome.refused}`);
  return outcome.change;
}

/** The update of one row among a change's writes. */
export function updateOf(outcome: Outcome, sk: string): Update {
  const found = changeOf(outcome).find((write) => write.op === 'update' && write.key.sk === sk);
  if (found?.op !== 'update') throw new Error(`No update of ${sk}.`);
  return found;
}
