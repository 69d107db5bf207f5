import { createHash } from 'node:crypto';
import { open, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { decodeArguments } from '../../containers/transcoder/ffmpeg/arguments.ts';
import { confined } from '../../containers/transcoder/ffmpeg/demuxers.ts';
import { ENVIRONMENT } from '../../containers/transcoder/ffmpeg/run.ts';
import { fileInput, type Input } from '../../containers/transcoder/input/input.ts';
import { whyDownload } from '../../containers/transcoder/input/where.ts';
import { probeSource } from '../../containers/transcoder/probe.ts';
import { openScratch } from '../../containers/transcoder/scratch.ts';
import { transcode } from '../../containers/transcoder/transcode.ts';
import { planEncode } from '../../core/media/plan.ts';
import { captioned, captionsIn } from '../support/captions.ts';
import { H264_AAC, make, picture, TOOLS, temporaryDirectory, tone } from '../support/media.ts';
import { answer, serveSource } from '../support/source-server.ts';
import { presetNamed } from '../support/transcode.ts';

const preset = presetNamed('standard');
/** Noise of several MiB: more than is read of it before it is encoded, and more than one cell. */
const noise = (seconds: number) => ['-f', 'lavfi', '-i', `testsrc2=s=320x180:r=10:d=${seconds},noise=alls=100:allf=t`];
const LOSSLESS = ['-c:v', 'libx264', '-preset', 'ultrafast', '-qp', '0', '-pix_fmt', 'yuv420p'];
const VP9 = ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-b:v', '8M', '-c:a', 'libopus'];

/** What the worker knows of a source, and the checksum of all that is decoded of it. */
async function read(input: Input, directory: string) {
  const { signal } = new AbortController();
  const { probe, ends, ...found } = await probeSource(TOOLS, input, signal);
  const plan = planEncode(probe, preset, ends);
  const args = decodeArguments(plan, input, { toneMap: false, onGpu: false, cwd: directory });
  const stdio = ['ignore', 'pipe', 'inherit', 'pipe', 'pipe', 'pipe'] as const;
  const child = execa(TOOLS.ffmpeg, ['-v', 'error', ...args], { cwd: directory, stdio, buffer: false });
  const sums = [1, 3, 4, 5].map(async (descriptor) => {
    const sum = createHash('sha256');
    for await (const bytes of child.stdio[descriptor] as AsyncIterable<Buffer>) sum.update(bytes);
    return sum.digest('hex');
  });
  return { plan, found, decoded: await Promise.all(sums) };
}

// x264's rate control depends on the load of the machine, so what it is given is compared.
test.each([
  ['an MP4 with its index in front', 4, [...LOSSLESS, '-movflags', '+faststart', 'front.mp4']],
  ['an MP4 with its index at the end', 4, [...LOSSLESS, 'end.mp4']],
  ['a MOV of pictures by themselves', 6, ['-c:v', 'mjpeg', '-q:v', '2', '-c:a', 'pcm_s16le', 'camera.mov']],
  ['Matroska with its index at the end', 4, [...LOSSLESS, 'film.mkv']],
  ['Matroska with its index in front', 4, [...LOSSLESS, '-cues_to_front', '1', 'front.mkv']],
  ['WebM', 6, [...VP9, 'film.webm']],
])('%s is read in place: pictures and sound are decoded byte for byte as from a file', async (_, seconds, codec) => {
  await using directory = await temporaryDirectory();
  const file = await make(directory.path, ...noise(seconds), ...tone(seconds), ...codec);
  await using server = await serveSource(file);
  await using input = await server.open(directory.path);
  expect(await whyDownload(input)).toBeUndefined();
  expect(await read(input, directory.path)).toEqual(await read(await fileInput(file), directory.path));
  expect(input.size).toBeGreaterThan(3 * 2 ** 20);
  expect(input.traffic.bytes).toBe(input.size);
});

test.each([
  ['It is an MP4 in fragments.', ['-movflags', '+frag_keyframe+empty_moov', 'fragments.mp4']],
  ['It is Matroska without an index.', ['-f', 'matroska', '-live', '1', 'live.mkv']],
  ['It is neither MP4, MOV nor Matroska.', ['broadcast.ts']],
  ['It is neither MP4, MOV nor Matroska.', ['program.mpg']],
  ['It is neither MP4, MOV nor Matroska.', ['old.avi']],
])('downloaded first, because "%s"', async (why, codec) => {
  await using directory = await temporaryDirectory();
  const video = ['-c:v', codec.includes('program.mpg') ? 'mpeg2video' : 'libx264', '-pix_fmt', 'yuv420p'];
  const file = await make(directory.path, ...picture('64x64', '25', 1), ...video, ...codec);
  expect(await whyDownload(await fileInput(file))).toBe(why);
});

test('an MP4 whose index is cut off is downloaded', async () => {
  await using directory = await temporaryDirectory();
  const file = await make(directory.path, ...picture('64x64', '25', 1), ...H264_AAC, 'cut.mp4');
  const { size } = await stat(file);
  const handle = await open(file, 'r+');
  await handle.truncate(size - 1500);
  await handle.close();
  expect(await whyDownload(await fileInput(file))).toBe('It is an MP4 without an index.');
});

test('a source that breaks off while it is encoded fails as storage, and nothing short of it is finished', async () => {
  await using directory = await temporaryDirectory();
  const file = await make(directory.path, ...noise(4), ...LOSSLESS, '-movflags', '+faststart', 'noise.mp4');
  await using server = await serveSource(file, {
    fault: ({ nth, ...asked }, response) => {
      if (asked.start < 3 * 2 ** 20) return false;
      answer(response, { ...asked, size: server.object.source.size });
      response.destroy();
      return true;
    },
  });
  const scratch = await openScratch(join(directory.path, 'job'));
  await using input = await server.open(scratch.root, { waitMs: 1, goOnMs: 0 });
  const run = transcode({ tools: TOOLS, scratch, input, preset, signal: input.signal, onProgress: () => undefined });
  await expect(run).rejects.toMatchObject({ code: 'ECONNRESET' });
  expect((await readdir(scratch.root)).filter((name) => name.endsWith('.done.json'))).toEqual([]);
}, 60_000);

test('captions that begin late in a source that is read in place are kept, by an encode that begins anew', async () => {
  await using directory = await temporaryDirectory();
  const raw = await make(directory.path, ...noise(4), ...LOSSLESS, '-x264-params', 'slices=1', 'raw.h264');
  const args = ['-i', await captioned(raw, 37), '-c', 'copy', '-movflags', '+faststart', 'late.mp4'];
  await using server = await serveSource(await make(directory.path, ...args));
  const scratch = await openScratch(join(directory.path, 'job'));
  await using input = await server.open(scratch.root);
  const result = await transcode({
    ...{ tools: TOOLS, scratch, input, preset, signal: input.signal },
    onProgress: () => undefined,
  });
  expect(result.captions).toBe(true);
  expect(await captionsIn(join(scratch.out, result.renditions[0]?.playlist ?? ''))).toBe(3);
}, 60_000);

/** Texts that name another address, which a demuxer that believed them would open. */
const SCRIPTS = {
  HLS: (url: string) => `#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n${url}\n#EXT-X-ENDLIST\n`,
  DASH: (url: string) =>
    `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT9S"><Period><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1"><BaseURL>${url}</BaseURL></Representation></AdaptationSet></Period></MPD>`,
  'a concat script': (url: string) => `ffconcat version 1.0\nfile '${url}'\n`,
};

test.each(
  Object.entries(SCRIPTS),
)('%s that is read in place makes FFmpeg open nothing else, with and without its list of formats', async (_, script) => {
  await using directory = await temporaryDirectory();
  let visits = 0;
  const other = createServer((_, response) => {
    visits += 1;
    response.end();
  });
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as AddressInfo;
  const file = join(directory.path, 'film.mp4');
  await writeFile(file, script(`http://127.0.0.1:${port}/a.mp4`));
  await using server = await serveSource(file);
  await using input = await server.open(directory.path);
  for (const options of [confined(input.protocols), [...input.protocols]]) {
    const args = ['-v', 'error', ...options, '-show_streams', input.nameIn()];
    const { stdout } = await execa(TOOLS.ffprobe, args, { reject: false, extendEnv: false, env: ENVIRONMENT });
    expect(stdout).toBe('');
  }
  other.close();
  expect(visits).toBe(0);
});

test('FFmpeg is told of the door alone', async () => {
  await using directory = await temporaryDirectory();
  const file = await make(directory.path, ...picture('64x64', '25', 1), ...H264_AAC, 'film.mp4');
  const record = join(directory.path, 'commands');
  const tools = { ...TOOLS, prefix: ['sh', '-c', `echo "$0" "$@" >> '${record}'; exec "$0" "$@"`] };
  await using server = await serveSource(file);
  const scratch = await openScratch(join(directory.path, 'job'));
  await using input = await server.open(scratch.root);
  await transcode({ tools, scratch, input, preset, signal: input.signal, onProgress: () => undefined });
  const opening = (await readFile(record, 'utf8')).split('\n').filter((line) => line.includes('http:'));
  expect(opening.length).toBeGreaterThanOrEqual(2);
  const told =
    /-protocol_whitelist http,tcp -http_proxy http:\/\/127\.0\.0\.1:\d+ -max_redirects 0 -format_whitelist mov\S+ -max_pixels 58982400 -analyzeduration 90000000 -probesize 67108864 .*http:\/\/source\.invalid\/[\w-]{32}( |$)/;
  expect(opening.filter((line) => !told.test(line))).toEqual([]);
});
