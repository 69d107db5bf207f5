import { describe, expect, it } from 'vitest';
import { publishPlan, versionOf } from '../../../../core/publish/plan.ts';
import { pointersTo } from '../../../../core/publish/pointers.ts';
import { job, MEDIA_ID, media, NOW, result, source, version } from '../../../support/factories.ts';

const plan = publishPlan(job({ n: 3 }), result());
const TMP = `tmp/${MEDIA_ID}-3/`;
const HLS = `ann/hls/${MEDIA_ID}/`;
const THUMBNAILS = `ann/thumbnails/media/${MEDIA_ID}/`;

describe('the plan of a publish', () => {
  it('copies each file of the result into the folders of its version, shared segments of the preview twice', () => {
    expect(plan.copies.map(({ from, to }) => [from, to])).toEqual([
      [`${TMP}360p.m3u8`, `${HLS}v3/360p.m3u8`],
      [`${TMP}360p_init.mp4`, `${HLS}v3/360p_init.mp4`],
      [`${TMP}360p_init.mp4`, `${HLS}preview/v3/360p_init.mp4`],
      [`${TMP}360p_000.m4s`, `${HLS}v3/360p_000.m4s`],
      [`${TMP}360p_000.m4s`, `${HLS}preview/v3/360p_000.m4s`],
      [`${TMP}360p_001.m4s`, `${HLS}v3/360p_001.m4s`],
      [`${TMP}preview/preview.m3u8`, `${HLS}preview/v3/preview.m3u8`],
      [`${TMP}full.mp4`, `ann/mp4/${MEDIA_ID}/v3.mp4`],
      [`${TMP}thumbnail.jpg`, `${THUMBNAILS}v3/auto-generated.jpg`],
      [`${TMP}poster.jpg`, `${THUMBNAILS}v3/poster.jpg`],
      [`${TMP}waveform.json`, `ann/waveforms/${MEDIA_ID}/v3/waveform.json`],
    ]);
  });
  it('writes a playlist whose text is in the result from there, and does not copy its file', () => {
    const playlists = { '360p.m3u8': '#EXTM3U\n', 'preview/preview.m3u8': '#EXTM3U\n#\n' };
    const { copies, playlists: written, bytes } = publishPlan(job({ n: 3 }), result({ playlists }));
    expect(copies).toEqual(plan.copies.filter(({ to }) => !to.endsWith('.m3u8')));
    expect(written.map(({ key, body }) => [key, body])).toEqual([
      [`${HLS}v3/360p.m3u8`, '#EXTM3U\n'],
      [`${HLS}preview/v3/preview.m3u8`, '#EXTM3U\n#\n'],
    ]);
    expect(bytes).toBe(plan.bytes - 1 - 5 + 8 + 10);
  });
  it('contains size, checksum and type of each copy, to be cached for a year', () => {
    expect(plan.copies[0]).toEqual({
      from: `${TMP}360p.m3u8`,
      to: `${HLS}v3/360p.m3u8`,
      size: 1,
      crc64nvme: 'crc1',
      contentType: 'application/vnd.apple.mpegurl',
      cacheControl: 'public, max-age=31536000, immutable',
    });
    expect(plan.bytes).toBe(1 + 2 + 2 + 3 + 3 + 4 + 5 + 6 + 7 + 8 + 9);
  });
  it('names the outputs: pointers for the streams, the version itself for the rest', () => {
    expect(plan.outputs).toEqual({
      master: `${HLS}master.m3u8`,
      preview: `${HLS}preview/preview.m3u8`,
      mp4: `ann/mp4/${MEDIA_ID}/v3.mp4`,
      thumbnail: `${THUMBNAILS}v3/auto-generated.jpg`,
      poster: `${THUMBNAILS}v3/poster.jpg`,
      waveform: `ann/waveforms/${MEDIA_ID}/v3/waveform.json`,
    });
  });
  it('names no output that the result lacks', () => {
    const { preview: _, mp4: __, thumbnail: ___, poster: ____, waveform: _____, ...bare } = result();
    const files = bare.files.slice(0, 4);
    const { outputs, prefixes } = publishPlan(job(), { ...bare, files });
    expect(outputs).toEqual({ master: `${HLS}master.m3u8` });
    expect(prefixes).toEqual([`${HLS}v1/`]);
  });
});

describe('a version whose renditions are one file each', () => {
  it('has a DASH manifest, which its pointer is made from', () => {
    const file = { uri: '360p.mp4', initBytes: 700, indexBytes: 64 };
    const { outputs } = publishPlan(
      job({ n: 3 }),
      result({ renditions: result().renditions.map((one) => ({ ...one, file })) }),
    );
    expect(outputs.dash).toBe(`${HLS}manifest.mpd`);
    expect(pointersTo({ creatorId: 'ann', mediaId: MEDIA_ID, n: 3, outputs, access: 'public' })[1]).toEqual({
      key: `${HLS}manifest.mpd`,
      from: `${HLS}v3/manifest.mpd`,
      prefix: 'v3/',
      contentType: 'application/dash+xml',
    });
  });
});

describe('the plan of a private version', () => {
  it('has every key under private/, and marks the version as private', () => {
    const secret = job({ n: 3, access: 'private' });
    const { copies, outputs, prefixes } = publishPlan(secret, result());
    const keys = [...copies.map(({ to }) => to), ...Object.values(outputs), ...prefixes];
    expect(keys.filter((key) => !key?.startsWith('private/ann/'))).toEqual([]);
    expect(keys.length).toBeGreaterThan(20);
    expect(versionOf(secret, media(), { result: result(), plan, now: NOW }).access).toBe('private');
    const pointers = pointersTo({ creatorId: 'ann', mediaId: MEDIA_ID, n: 3, outputs, access: 'private' }).flatMap(
      ({ key, from }) => [key, from ?? key],
    );
    expect(pointers.filter((key) => !key.startsWith('private/ann/'))).toEqual([]);
  });
});

describe('the pointers', () => {
  it('are written with the master first, each made from an object of the version', () => {
    const pointers = pointersTo({ creatorId: 'ann', mediaId: MEDIA_ID, n: 3, outputs: plan.outputs, access: 'public' });
    expect(pointers.map(({ key, from, prefix }) => [key, from, prefix])).toEqual([
      [`${HLS}master.m3u8`, `${HLS}v3/master.m3u8`, 'v3/'],
      [`${HLS}manifest.mpd`, null, 'v3/'],
      [`${HLS}preview/preview.m3u8`, `${HLS}preview/v3/preview.m3u8`, 'v3/'],
      [`ann/mp4/${MEDIA_ID}/video.mp4`, `ann/mp4/${MEDIA_ID}/v3.mp4`, undefined],
      [`${THUMBNAILS}auto-generated.jpg`, `${THUMBNAILS}v3/auto-generated.jpg`, undefined],
      [`${THUMBNAILS}poster.jpg`, `${THUMBNAILS}v3/poster.jpg`, undefined],
      [`${THUMBNAILS}poster-large.jpg`, null, undefined],
      [`ann/waveforms/${MEDIA_ID}/waveform.json`, `ann/waveforms/${MEDIA_ID}/v3/waveform.json`, undefined],
    ]);
    expect(pointers.map(({ location }) => location).filter((location) => location !== undefined)).toEqual(['v3.mp4']);
  });
  it('of outputs that the version lacks are removed', () => {
    const pointers = pointersTo({
      creatorId: 'ann',
      mediaId: MEDIA_ID,
      n: 3,
      outputs: { master: `${HLS}master.m3u8` },
      access: 'public',
    });
    expect(pointers.map(({ from }) => from)).toEqual([`${HLS}v3/master.m3u8`, ...Array(7).fill(null)]);
  });
});

describe('the record of a version', () => {
  it('lists the renditions without their files, and its source', () => {
    const row = versionOf(job({ n: 3 }), media(), { result: result(), plan, now: NOW });
    expect(row).toMatchObject({ version: 3, jobId: `${MEDIA_ID}-3`, publishedAt: NOW, source: source(), bytes: 50 });
    expect(row.renditions).toEqual([
      {
        name: '360p',
        width: 640,
        height: 360,
        codecs: 'avc1.4d401e,mp4a.40.2',
        bandwidth: 700_000,
        averageBandwidth: 500_000,
        durationSeconds: 12,
        bytes: 50,
      },
    ]);
  });
  it('has the warnings of its encode, and those of the version that it is made from', () => {
    const [first, second] = [
      { code: 'track_skipped', message: 'First.' },
      { code: 'channels_reduced', message: 'Second.' },
    ];
    const before = media({ current: version(1, { warnings: [first] }) });
    const made = { result: result({ warnings: [second] }), plan, now: NOW };
    expect(versionOf(job(), before, made).warnings).toEqual([second]);
    const fromMp4 = job({ source: source({ bucket: 'media', key: 'ann/mp4/x/v1.mp4' }) });
    expect(versionOf(fromMp4, before, made).warnings).toEqual([first, second]);
    expect(versionOf(job(), before, { ...made, result: result() })).not.toHaveProperty('warnings');
  });
  it('that is made from its own MP4 still names the upload', () => {
    const fromMp4 = job({ source: source({ bucket: 'media', key: 'ann/mp4/x/v1.mp4' }) });
    const before = media({ current: version(1, { source: source({ versionId: 'v-first' }) }) });
    expect(versionOf(fromMp4, before, { result: result(), plan, now: NOW }).source?.versionId).toBe('v-first');
  });
});
