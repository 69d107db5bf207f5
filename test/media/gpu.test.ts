import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, describe, expect, it } from 'vitest';
import { workingEncoders } from '../../containers/transcoder/archive/encoders.ts';
import { encoderArguments } from '../../containers/transcoder/ffmpeg/encoders.ts';
import { ladderGraphs } from '../../containers/transcoder/ffmpeg/filters.ts';
import { fileInput } from '../../containers/transcoder/input/input.ts';
import { probeSource } from '../../containers/transcoder/probe.ts';
import { encodeArguments } from '../../core/archive/encode-arguments.ts';
import { ARCHIVE_ENCODERS } from '../../core/archive/fitness.ts';
import { Description } from '../../core/archive/inspection.ts';
import { ARCHIVE_PRESETS } from '../../core/contracts/archive.ts';
import { planEncode } from '../../core/media/plan.ts';
import { failingDriver, HAS_COMPILER, workingGpu } from '../support/gpu-driver/driver.ts';
import { decodeAll, H264_AAC, make, picture, TOOLS, temporaryDirectory, tone } from '../support/media.ts';
import { presetNamed, transcodeFile } from '../support/transcode.ts';

/** No GPU was at hand: encoders that fail are FFmpeg's own, with drivers that fail; one that works is libx264 in its place. */
const directory = await temporaryDirectory();
afterAll(() => directory[Symbol.asyncDispose]());
const standard = presetNamed('standard');
const video = await make(directory.path, ...picture('160x90', '25', 2.5), ...tone(2.5), ...H264_AAC, 'video.mp4');
const PACKETS = ['-v', 'error', '-show_entries', 'packet=pts_time,flags', '-of', 'csv=p=0'];
const brief = await make(directory.path, ...picture('64x36', '25', 0.4), ...H264_AAC, 'brief.mp4');
const onGpu = (file: string, tools: typeof TOOLS) =>
  transcodeFile(directory.path, file, standard, { tools, gpu: true });

const { probe, ends } = await probeSource(TOOLS, await fileInput(video), new AbortController().signal);

/** What `ffmpeg -h` says of an encoder: the values of each option, where they have names, and the formats of pictures that it takes. */
async function optionsOf(encoder: string): Promise<{ known: Map<string, string[]>; formats: string[] }> {
  const { stdout } = await execa(TOOLS.ffmpeg, ['-hide_banner', '-v', 'quiet', '-h', `encoder=${encoder}`]);
  const known = new Map<string, string[]>();
  let last = '';
  for (const line of stdout.split('\n')) {
    const option = /^ {2}-([\w-]+) +<(\w+)>/.exec(line);
    const constant = /^ {5}([\w.]+) +-?\d+ +E/.exec(line);
    if (option?.[1]) {
      last = option[1];
      known.set(last, []);
    } else if (constant?.[1]) known.get(last)?.push(constant[1]);
  }
  return { known, formats: /pixel formats: (.*)/.exec(stdout)?.[1]?.split(' ') ?? [] };
}

describe('the arguments of NVENC', () => {
  const plan = planEncode(probe, standard, ends);
  const args = plan.video
    ? encoderArguments('h264_nvenc', plan, plan.video, {
        ...{ maxBitrate: 5_000_000, x264Preset: 'fast', format: 'cuda', profile: 'high' },
      })
    : [];

  it('keep keyframes where they are forced, and the cap', () => {
    const value = (name: string) => args[args.indexOf(name) + 1];
    expect(value('-rc:v')).toBe('vbr');
    expect(value('-cq:v')).toBe('27');
    expect(value('-maxrate:v')).toBe('5000000');
    expect(value('-forced-idr:v')).toBe('1');
    expect(value('-no-scenecut:v')).toBe('1');
    expect(value('-g:v')).toBe('1000000');
    expect(value('-enc_time_base:v')).toBe('1:25');
    expect(value('-force_key_frames:v')).toMatch(/^expr:/);
  });

  it('are options and values of this FFmpeg', async () => {
    const { known, formats } = await optionsOf('h264_nvenc');
    const own = ['gpu', 'preset', 'tune', 'profile', 'rc', 'cq', 'spatial-aq', 'b_ref_mode'];
    own.push('forced-idr', 'rc-lookahead', 'no-scenecut');
    for (const name of own) {
      expect([...known.keys()]).toContain(name);
      const value = args[args.indexOf(`-${name}:v`) + 1] ?? '';
      if (!/^\d+$/.test(value)) expect(known.get(name)).toContain(value);
    }
    expect(formats).toEqual(expect.arrayContaining(['yuv420p', 'cuda']));
    const given = args.filter((_, i) => i % 2 === 0).map((arg) => arg.replace(/^-|:v$/g, ''));
    const ffmpegs = ['c', 'pix_fmt', 'b', 'maxrate', 'bf', 'g', 'enc_time_base', 'force_key_frames', 'fps_mode', 'bsf'];
    expect(given.filter((name) => !own.includes(name)).sort()).toEqual(ffmpegs.sort());
  });
});

it("the GPU's scaler and what brings it pictures are filters of this FFmpeg, with their options and values", async () => {
  const about = async (name: string) =>
    (await execa(TOOLS.ffmpeg, ['-hide_banner', '-v', 'quiet', '-h', `filter=${name}`])).stdout;
  const plan = planEncode(probe, standard, ends);
  const graphs = ladderGraphs(plan, plan.video ?? expect.fail('no picture'), 'cuda');
  expect(graphs[0]).toContain('format=yuv420p,hwupload_cuda');
  const scaler = await about('scale_cuda');
  for (const name of ['w', 'h', 'interp_algo']) expect(scaler).toMatch(new RegExp(`^ +${name} +<`, 'm'));
  expect(scaler).toMatch(/^ +bilinear +\d/m);
  expect(await about('hwupload_cuda')).toContain('Upload a system memory frame to a CUDA device');
});

describe("the archive's HEVC on a GPU", () => {
  it.each(ARCHIVE_PRESETS)('has options, values and formats of this FFmpeg at %s', async (preset) => {
    const { known, formats } = await optionsOf('hevc_nvenc');
    for (const pix_fmt of ['yuv420p', 'yuv420p10le']) {
      const args = encodeArguments(recording(pix_fmt), { quality: 24, preset, encoder: 'hevc_nvenc' }, NAMES);
      const value = (name: string) => args[args.indexOf(`-${name}:v:0`) + 1] ?? expect.fail(`no ${name}`);
      for (const name of ['preset', 'rc']) expect(known.get(name)).toContain(value(name));
      expect(known.has('cq')).toBe(true);
      expect(formats).toContain(value('pix_fmt'));
    }
  });

  it.skipIf(!HAS_COMPILER).each([
    ['the GPU has no encoder', { STUB_ENCODE: '2' }],
    ['no session opens', { STUB_ENCODE: '10' }],
    ['the driver is too old', { STUB_API: '16' }],
  ])('is left to x265 where %s', async (_, variables) => {
    const tools = await failingDriver(directory.path, variables);
    expect(await workingEncoders(tools, ARCHIVE_ENCODERS.hevc)).toEqual(['libx265']);
  });
});

/** One of a camera, as ffprobe describes it. */
const recording = (pix_fmt: string) =>
  Description.parse({
    streams: [{ ...{ index: 0, codec_type: 'video', codec_name: 'h264' }, time_base: '1/90000', pix_fmt }],
    format: { format_name: 'mov,mp4,m4a,3gp,3g2,mj2', duration: '4', tags: {} },
    ...{ chapters: [], frames: [] },
  });
const NAMES = { input: './a.mp4', output: './b.mp4', before: [] };

describe('a video is encoded in software, and the result says why, when', () => {
  it('there is no driver', async () => {
    const { result } = await onGpu(brief, TOOLS);
    expect(result.gpu).toEqual({ decode: false, encode: false, why: 'There is no driver of NVIDIA in the container.' });
    expect(result.renditions.map(({ name }) => name)).toEqual(['36p']);
  });

  it.skipIf(!HAS_COMPILER).each([
    [
      'the driver has no encoder',
      {},
      ['cuda'],
      'The driver in the container lacks its encoder: NVIDIA_DRIVER_CAPABILITIES must name video.',
    ],
    ['the GPU is lost', { STUB_CUINIT: '100' }, ['cuda', 'encode'], 'The container has no GPU.'],
    ['there is no GPU', { STUB_DEVICES: '0' }, ['cuda', 'encode'], 'The container has no GPU.'],
    ['the GPU has no encoder', { STUB_ENCODE: '2' }, ['cuda', 'encode'], 'The GPU has no encoder that does this.'],
    [
      'no session opens',
      { STUB_ENCODE: '10' },
      ['cuda', 'encode'],
      'The GPU opens no more encoders: its memory or its sessions are used up.',
    ],
    [
      'the driver is too old',
      { STUB_API: '16' },
      ['cuda', 'encode'],
      "The host's driver is older than this FFmpeg needs.",
    ],
  ] as const)('%s', async (_, variables, libraries, why) => {
    const { result } = await onGpu(brief, await failingDriver(directory.path, variables, libraries));
    expect(result.gpu).toEqual({ decode: false, encode: false, why });
    expect(result.renditions.map(({ name }) => name)).toEqual(['36p']);
  });

  it('its cap is broken', async () => {
    const noise = ['-f', 'lavfi', '-i', 'nullsrc=s=640x360:r=25:d=1,geq=random(1)*255:128:128'];
    const file = await make(directory.path, ...noise, ...H264_AAC, 'noise.mp4');
    const { result } = await onGpu(file, await workingGpu(directory.path, 'cap'));
    expect(result.gpu).toMatchObject({ decode: false, encode: false });
    expect(result.gpu?.why).toMatch(/^A segment of 360p has \d+ bytes in 1.0 s: more than its cap allows\.$/);
  });

  it('its pictures come at varying times', async () => {
    const uneven = ['-vf', "select='between(mod(n,7),0,3)'", '-fps_mode', 'vfr'];
    const file = await make(directory.path, ...picture('160x90', '25', 3), ...uneven, ...H264_AAC, 'uneven.mp4');
    const { result } = await onGpu(file, await workingGpu(directory.path));
    expect(result.gpu).toEqual({
      decode: false,
      encode: false,
      why: 'Its pictures come at varying times, for which FFmpeg cannot tell NVENC a rate.',
    });
  });
});

describe('a GPU that works', () => {
  it('gives the renditions that software gives, picture by picture', async () => {
    const [one, other] = [
      await onGpu(video, await workingGpu(directory.path)),
      await transcodeFile(directory.path, video, standard),
    ];
    expect(one.result.gpu).toEqual({ decode: true, scale: true, encode: true });
    expect(other.result.gpu).toBeUndefined();
    const shape = async ({ result, out }: typeof one) => ({
      renditions: result.renditions.map(({ name, width, height, durationSeconds }) => [
        name,
        width,
        height,
        durationSeconds,
      ]),
      streams: await decodeAll(join(out, '90p.m3u8')),
      // In the order in which they are shown: the two encoders reorder otherwise.
      times: (await execa(TOOLS.ffprobe, [...PACKETS, join(out, '90p.m3u8')])).stdout.split('\n').sort(),
    });
    expect(await shape(one)).toEqual(await shape(other));
  });

  it('that cannot decode a source encodes it, and the result says why', async () => {
    const { result } = await onGpu(brief, await workingGpu(directory.path, 'decode'));
    expect(result.gpu).toEqual({ decode: false, encode: true, why: 'Failed setup for format cuda' });
  });

  it('that cannot scale encodes what is scaled in memory, and the result says why', async () => {
    const { result } = await onGpu(video, await workingGpu(directory.path, 'scale'));
    expect(result.gpu).toEqual({ decode: false, encode: true, why: 'There is no driver of NVIDIA in the container.' });
  });

  it('is not asked for sound', async () => {
    const sound = await make(directory.path, ...tone(1), 'tone.mp3');
    expect((await onGpu(sound, await workingGpu(directory.path))).result.gpu).toBeUndefined();
  });
});
