import { expect, test } from 'vitest';
import { type PlannedJob, planJob } from '../../../../engines/mediaconvert/settings.ts';
import { makeMedia, probe, startWorld, textOf } from '../../../../local/test/support/mediaconvert-world.ts';
import { PHONE, PLACE, PODCAST, planned, type Source, UHD } from './sources.ts';

/** The names of maps' entries are sent as they are; those of members begin with a small letter. */
const MAPS = new Set(['AudioSelectors', 'UserMetadata']);

/** A request as the SDK sends it. */
function sent(value: unknown, isMap = false): unknown {
  if (Array.isArray(value)) return value.map((item) => sent(item));
  if (typeof value !== 'object' || value === null) return value;
  const named = (key: string) => (isMap ? key : `${key.charAt(0).toLowerCase()}${key.slice(1)}`);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [named(key), sent(item, MAPS.has(key))]));
}

const QUEUE = 'arn:aws:mediaconvert:us-east-1:123456789012:queues/encodes';

function jobOf(source: Source, place: Partial<typeof PLACE> = {}): PlannedJob {
  const { plan, source: probed } = planned(source);
  return planJob(plan, probed, { ...PLACE, queue: QUEUE, ...place });
}

test('the local MediaConvert accepts the jobs of every kind of source', async () => {
  await using world = await startWorld({ stopped: true });
  const interlaced: Source = { video: { combed: 'flagged' } };
  const bright: Source = { video: { color: { primaries: 'bt2020', transfer: 'smpte2084', matrix: 'bt2020nc' } } };
  const loud: Source = { preset: { ...UHD, loudnessTarget: -16 } };
  for (const source of [{}, PHONE, PODCAST, interlaced, bright, loud, { audio: null }]) {
    expect(await world.submit(sent(jobOf(source).request) as object)).toMatch(/^\d+-/);
    world.clock.advance(61_000);
  }
});

test('what the local MediaConvert writes has the names, sizes and times that were known before', async () => {
  await using world = await startWorld();
  const made = ['-f', 'lavfi', '-i', 'testsrc2=s=480x270:r=30000/1001:d=7', '-f', 'lavfi', '-i', 'sine=d=7:r=48000'];
  await makeMedia(world, 's3://uploads/film.mp4', ...made, '-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac');
  const size = { width: 480, height: 270 };
  const film = { video: { coded: size, displayed: size }, audio: {}, ends: { video: 7.007, audio: 7 } };
  const source: Source = { ...film, preset: { ...UHD, loudnessTarget: -16 } };
  const job = jobOf(source, { source: { bucket: 'uploads', key: 'film.mp4' } });
  await world.until(await world.submit(sent(job.request) as object), 'COMPLETE');
  const { bucket, prefix } = PLACE.output;
  const folder = `s3://${bucket}/${prefix}`;
  const written = (await world.list(folder)).map((uri) => uri.slice(folder.length));
  const { renditions, captures } = job;
  const media = written.filter((name) => !name.endsWith('.m3u8'));
  expect(media).toEqual(
    [...Object.values(renditions), ...(captures.thumbnail ?? []), ...(captures.poster ?? [])].sort(),
  );
  expect(Object.keys(renditions)).toEqual(['270p', 'audio-128k', 'audio-64k']);
  const { streams } = await probe(world, `${folder}stream_270p.cmfv`);
  expect(streams[0]).toMatchObject({ ...size, r_frame_rate: '30000/1001', profile: 'Main', start_time: '0.000000' });
  const playlist = await textOf(world, `${folder}stream_270p.m3u8`);
  expect(playlist.match(/(?<=#EXTINF:)[\d.]+/g)).toEqual(['6.006000', expect.stringMatching(/^1\.00/)]);
  const thumbnail = await probe(world, `${folder}frame_thumbnail.0000001.jpg`);
  expect(thumbnail.streams[0]).toMatchObject({ codec_name: 'mjpeg', ...size });
});
