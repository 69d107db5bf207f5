import { copyFile, open, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { workingEncoders } from '../../containers/transcoder/archive/encoders.ts';
import { describeFile, inspectFile } from '../../containers/transcoder/archive/inspect.ts';
import { shrink } from '../../containers/transcoder/archive/shrink.ts';
import { verifyArchived } from '../../containers/transcoder/archive/verify.ts';
import type { Inspection } from '../../core/archive/inspection.ts';
import { ArchivePolicy, type ArchiveReason } from '../../core/contracts/archive.ts';
import { captioned } from '../support/captions.ts';
import { make, TOOLS, temporaryDirectory } from '../support/media.ts';

/** A recording whose pictures move, with sound, its good copy, and copies that are damaged in one way each. */
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let before: Inspection;
const host = { tools: TOOLS, signal: new AbortController().signal };
const policy = ArchivePolicy.parse({});

const file = (name: string) => ({ directory: directory.path, name });
const shrunk = async (name: string, archived = `new-${name}`, more: object = {}) =>
  shrink(host, {
    ...{ directory: directory.path, original: name, archived, policy: { ...policy, ...more } },
    ...{ encoders: await workingEncoders(TOOLS), onProgress: () => {} },
  });

const MOVING = ['-f', 'lavfi', '-i', 'testsrc2=s=160x90:r=25:d=2.4'];
const SOUND = ['-f', 'lavfi', '-i', 'sine=d=2.4:sample_rate=48000'];
const H264 = [
  '-c:v',
  'libx264',
  '-preset',
  'ultrafast',
  '-crf',
  '8',
  '-pix_fmt',
  'yuv420p',
  '-c:a',
  'aac',
  '-shortest',
];

beforeAll(async () => {
  directory = await temporaryDirectory();
  await make(directory.path, ...MOVING, ...SOUND, ...H264, 'a.mp4');
  expect(await shrunk('a.mp4', 'good.mp4')).toMatchObject({ done: true, encoder: 'libx265' });
  const description = await describeFile(host, file('a.mp4'));
  if (!description) throw new Error('a.mp4 cannot be read');
  before = await inspectFile(host, file('a.mp4'), description);
});
afterAll(() => directory[Symbol.asyncDispose]());

const EXACT = ['-fps_mode', 'passthrough', '-enc_time_base', '-1', '-video_track_timescale', '12800'];
/** Encodes anew as the archive does, with a fault in the pictures. */
const again =
  (filter: string, ...more: string[]) =>
  (to: string) =>
    make(
      directory.path,
      ...['-i', 'a.mp4', '-vf', filter, '-c', 'copy', '-c:v', 'libx265', '-preset', 'veryfast', '-crf', '23'],
      ...['-tag:v', 'hvc1', '-x265-params', 'log-level=error', ...EXACT, ...more, to],
    );
const remuxed =
  (...options: string[]) =>
  (to: string) =>
    make(directory.path, '-i', 'good.mp4', '-map', '0', '-c', 'copy', '-tag:v', 'hvc1', ...options, to);

/** Where the bytes of a picture in the middle are. */
async function middlePicture(name: string): Promise<{ position: number; size: number }> {
  const args = ['-v', 'error', '-select_streams', 'v', '-show_entries', 'packet=pos,size', '-of', 'csv=p=0', name];
  const { stdout } = await execa(TOOLS.ffprobe, args, { cwd: directory.path });
  const packets = stdout
    .trim()
    .split('\n')
    .map((line) => line.split(',').map(Number));
  const [size = 0, position = 0] = packets[Math.floor(packets.length / 2)] ?? [];
  return { position, size };
}

async function corrupted(to: string): Promise<void> {
  await copyFile(join(directory.path, 'good.mp4'), join(directory.path, to));
  const { position, size } = await middlePicture(to);
  const handle = await open(join(directory.path, to), 'r+');
  // Behind the length and the header of the picture's first unit.
  await handle.write(Buffer.alloc(size - 8), 0, size - 8, position + 8).finally(() => handle.close());
}

async function cut(to: string): Promise<void> {
  await copyFile(join(directory.path, 'good.mp4'), join(directory.path, to));
  await truncate(join(directory.path, to), Math.floor((await middlePicture('good.mp4')).position));
}

const FAULTS: [string, ArchiveReason, (to: string) => Promise<unknown>][] = [
  ['truncated', 'frame_count', cut],
  ['with a picture missing', 'frame_count', again("select='not(eq(n,30))'")],
  ['with a picture doubled', 'frame_count', again('loop=loop=1:size=1:start=30,setpts=N/25/TB')],
  [
    'with a picture in the place of the next',
    'quality_picture',
    again("loop=loop=1:size=1:start=29,select='not(eq(n,31))',setpts=N/25/TB"),
  ],
  ['with times shifted from the middle on', 'frame_times', again("setpts='PTS+gte(N,40)*0.002/TB'")],
  ['without sound', 'tracks', remuxed('-an')],
  [
    'with washed-out colours',
    'quality_color',
    again("lutyuv=y='16+(val-16)*0.86':u='128+(val-128)*0.86':v='128+(val-128)*0.86'"),
  ],
  ['corrupted in the middle', 'new_file_damaged', corrupted],
  ['bad in one second only', 'quality_worst_second', again("boxblur=4:enable='between(t,0.99,1.99)'")],
  ['black in one second', 'quality_worst_second', again("drawbox=t=fill:color=black:enable='between(t,0.99,1.99)'")],
  ['bad in all of it', 'quality_mean', again('null', '-crf', '48')],
  ['as hev1', 'codec_tag', remuxed('-tag:v', 'hev1')],
];

test.each(FAULTS)('a copy %s is refused: %s', async (what, reason, damage) => {
  const name = `${what.replaceAll(' ', '-')}.mp4`;
  await damage(name);
  const pair = { directory: directory.path, original: 'a.mp4', archived: name };
  const { refusals } = await verifyArchived(host, pair, { before, policy });
  expect(refusals.map((refusal) => refusal.reason)).toContain(reason);
});

test('the good copy is not', async () => {
  const pair = { directory: directory.path, original: 'a.mp4', archived: 'good.mp4' };
  expect((await verifyArchived(host, pair, { before, policy })).refusals).toEqual([]);
});

test('a copy that lost the rotation is refused', async () => {
  const turned = ['-i', 'a.mp4', '-c', 'copy', '-metadata:s:v:0', 'rotate=90', 'turned.mp4'];
  const display = [
    '-display_rotation',
    '90',
    ...turned.filter((arg) => arg !== '-metadata:s:v:0' && arg !== 'rotate=90'),
  ];
  // FFmpeg 6.0 has the option in the place of the tag.
  await make(directory.path, ...display).catch(() => make(directory.path, ...turned));
  expect(await shrunk('turned.mp4')).toMatchObject({ done: true });
  const description = await describeFile(host, file('turned.mp4'));
  if (!description) throw new Error('turned.mp4 cannot be read');
  const rotated = await inspectFile(host, file('turned.mp4'), description);
  const pair = { directory: directory.path, original: 'turned.mp4', archived: 'good.mp4' };
  const { refusals } = await verifyArchived(host, pair, { before: rotated, policy });
  expect(refusals).toEqual([{ reason: 'picture', detail: expect.stringMatching(/^rotation: 0 instead of -?90$/) }]);
});

test('a copy that lost the closed captions is refused', async () => {
  const raw = ['-i', 'a.mp4', '-map', '0:v', '-c', 'copy', '-bsf:v', 'h264_mp4toannexb', 'raw.h264'];
  await make(directory.path, ...raw);
  await captioned(join(directory.path, 'raw.h264'), 0);
  const inputs = ['-r', '25', '-i', 'raw.h264', '-i', 'a.mp4', '-map', '0:v', '-map', '1:a'];
  await make(directory.path, ...inputs, '-c', 'copy', '-video_track_timescale', '12800', 'captioned.mp4');
  const description = await describeFile(host, file('captioned.mp4'));
  if (!description) throw new Error('captioned.mp4 cannot be read');
  const withCaptions = await inspectFile(host, file('captioned.mp4'), description);
  const pair = { directory: directory.path, original: 'captioned.mp4', archived: 'good.mp4' };
  const { refusals } = await verifyArchived(host, pair, { before: withCaptions, policy });
  expect(refusals.map(({ reason }) => reason)).toEqual(['captions']);
});

test.each([
  ['cut', async (to: string) => truncate(await copyOf('a.mp4', to), 30_000)],
  [
    'damaged in the middle',
    async (to: string) => {
      await copyOf('a.mp4', to);
      const { position, size } = await middlePicture('front.mp4');
      const handle = await open(join(directory.path, to), 'r+');
      await handle.write(Buffer.alloc(size - 40), 0, size - 40, position + 40).finally(() => handle.close());
    },
  ],
])('an original that is %s is refused before anything is encoded', async (what, damage) => {
  const name = `original-${what.replaceAll(' ', '-')}.mp4`;
  // With the index at the front, as a half-copied file has it.
  await make(directory.path, '-i', 'a.mp4', '-c', 'copy', '-movflags', '+faststart', 'front.mp4');
  await damage(name);
  expect(await shrunk(name)).toMatchObject({ done: false, refusals: [{ reason: 'source_damaged' }] });
});

async function copyOf(name: string, to: string): Promise<string> {
  await copyFile(join(directory.path, name === 'a.mp4' ? 'front.mp4' : name), join(directory.path, to));
  return join(directory.path, to);
}

test('an original whose sound goes on behind the end of its edit list is archived', async () => {
  const bytes = await readFile(join(directory.path, 'a.mp4'));
  // Version 0: behind the name come its flags, the count of edits, and the duration of the first one, in milliseconds.
  const duration = bytes.lastIndexOf('elst') + 12;
  bytes.writeUInt32BE(bytes.readUInt32BE(duration) - 100, duration);
  await writeFile(join(directory.path, 'goes-on.mp4'), bytes);
  const args = [
    '-v',
    'error',
    '-select_streams',
    'a',
    '-count_packets',
    '-show_entries',
    'stream=nb_frames,nb_read_packets',
  ];
  const { stdout } = await execa(TOOLS.ffprobe, [...args, '-of', 'csv=p=0', 'goes-on.mp4'], { cwd: directory.path });
  const [declared = 0, shown = 0] = stdout.split(',').map(Number);
  expect(declared).toBeGreaterThan(shown);
  expect(await shrunk('goes-on.mp4')).toMatchObject({ done: true });
});

test('AV1 by SVT-AV1', async () => {
  const outcome = await shrunk('a.mp4', 'av1.mp4', { codec: 'av1' });
  expect(outcome).toMatchObject({ done: true, encoder: 'libsvtav1' });
});
