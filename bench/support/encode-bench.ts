import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encode } from '../../containers/transcoder/encode.ts';
import { fileInput } from '../../containers/transcoder/input/input.ts';
import { probeSource } from '../../containers/transcoder/probe.ts';
import { openScratch } from '../../containers/transcoder/scratch.ts';
import { writePreview } from '../../containers/transcoder/tasks/preview.ts';
import { cpuSeconds } from '../../containers/transcoder/usage.ts';
import { verify } from '../../containers/transcoder/verify.ts';
import { PRESETS } from '../../core/contracts/presets.ts';
import type { EncodePlan } from '../../core/media/encode-plan.ts';
import type { PlannedRung } from '../../core/media/ladder.ts';
import { planEncode } from '../../core/media/plan.ts';
import { cpuOf, SHARED_MEDIA } from './ffmpeg.ts';

export const TOOLS = { ffmpeg: process.env.FFMPEG_PATH ?? 'ffmpeg', ffprobe: process.env.FFPROBE_PATH ?? 'ffprobe' };

/**
 * CPU time of the whole output set: dropreel's one decode against the naive way (an ffmpeg for each output, same codec settings) and, on
 * request, against the limit: the ladder's encoders alone, fed raw frames that are already scaled.
 */
export async function compareEncode(options: { seconds: number; limit: boolean }): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'dropreel-bench-'));
  try {
    const source = await longClip(directory, options.seconds);
    const ours = await dropreel(directory, source);
    report('dropreel', ours.encode);
    report('  and verifying it', ours.verify);
    const naive = await naiveWay(directory, source, ours.plan);
    report('naive', naive);
    console.log(`${options.seconds} s: ${(naive.cpu / ours.encode.cpu).toFixed(2)} times less CPU than the naive way`);
    if (!options.limit) return;
    const limit = await encodersAlone(directory, source, ours.plan);
    report('encoders alone', limit);
    console.log(
      `${options.seconds} s: ${(ours.encode.cpu / limit.cpu).toFixed(2)} times the CPU of the encoders alone`,
    );
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

export interface Cost {
  cpu: number;
  wall: number;
}

function report(what: string, { cpu, wall }: Cost): void {
  console.log(`${what}: ${cpu.toFixed(1)} s CPU, ${wall.toFixed(1)} s wall`);
}

/** A real phone clip, repeated, or a generated one where there is none, as H.264 with AAC. */
export async function longClip(directory: string, seconds: number): Promise<string> {
  const phone = join(SHARED_MEDIA, 'phone-1080p30-hevc.mp4');
  const real = await stat(phone).catch(() => null);
  const made = ['-f', 'lavfi', '-i', 'testsrc2=s=1920x1080:r=30,noise=alls=12:allf=t', '-f', 'lavfi', '-i', 'sine'];
  const input = real ? ['-stream_loop', '-1', '-i', phone, '-map', '0:v', '-map', '0:a'] : made;
  const codec = ['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '18', '-pix_fmt', 'yuv420p', '-c:a', 'aac'];
  await cpuOf([...input, '-t', String(seconds), ...codec, 'clip.mp4'], directory);
  return join(directory, 'clip.mp4');
}

async function dropreel(directory: string, source: string): Promise<{ plan: EncodePlan; encode: Cost; verify: Cost }> {
  const scratch = await openScratch(join(directory, 'job'));
  const input = await fileInput(source);
  const { signal } = new AbortController();
  const preset = PRESETS.standard;
  if (preset === undefined) throw new Error('no preset standard');
  const { probe, ends } = await probeSource(TOOLS, input, signal);
  const plan = planEncode(probe, preset, ends);
  const { out, times } = scratch;
  let encoded: Awaited<ReturnType<typeof encode>> | undefined;
  const made = await measured(async () => {
    encoded = await encode(TOOLS, plan, { input, out, times, signal, onProgress: () => undefined });
    await writePreview(plan, out, []);
  });
  const verified = await measured(async () => {
    const { frames, decoded = {} } = encoded ?? {};
    const onRendition = () => undefined;
    await verify(TOOLS, plan, { input, out, times, frames, decoded, fault: undefined, signal, onRendition });
  });
  return { plan, encode: made, verify: verified };
}

export async function measured(work: () => Promise<unknown>): Promise<Cost> {
  const [cpu, started] = [await cpuSeconds(), performance.now()];
  await work();
  return { cpu: (await cpuSeconds()) - cpu, wall: (performance.now() - started) / 1000 };
}

const rate = (bits: number) => ['-maxrate', String(bits), '-bufsize', String(bits * 2)];

function codecOf(plan: EncodePlan, rung: PlannedRung): string[] {
  const keyframes = ['-sc_threshold', '0', '-force_key_frames', 'expr:gte(t,n_forced*2)', '-g', '240'];
  const quality = ['-crf', String(plan.crf), ...rate(rung.maxBitrate)];
  return [
    '-c:v',
    'libx264',
    '-preset',
    rung.x264Preset,
    '-profile:v',
    plan.mp4?.rung === rung.name ? 'main' : 'high',
    '-pix_fmt',
    'yuv420p',
    ...quality,
    ...keyframes,
  ];
}

const HLS = ['-f', 'hls', '-hls_time', '6', '-hls_playlist_type', 'vod', '-hls_segment_type', 'fmp4'];

async function naiveWay(directory: string, source: string, plan: EncodePlan): Promise<Cost> {
  const rungs = plan.video?.rungs ?? [];
  const [top] = rungs;
  const small = rungs.find((rung) => rung.name === plan.preview?.rung);
  if (!top || !small) throw new Error('no rungs');
  const sound = (name: string) => ['-c:a', 'aac', '-b:a', name];
  const scale = ({ width, height }: { width: number; height: number }) => ['-vf', `scale=${width}:${height}`];
  const hls = (name: string) => [...HLS, '-hls_fmp4_init_filename', `${name}_init.mp4`, `${name}.m3u8`];
  const commands = [
    ...rungs.map((rung) => [
      '-i',
      source,
      ...scale(rung),
      ...codecOf(plan, rung),
      ...sound(rung.audio),
      ...hls(rung.name),
    ]),
    ['-i', source, ...codecOf(plan, top), ...sound('128k'), '-movflags', '+faststart', 'naive.mp4'],
    ['-t', '30', '-i', source, ...scale(small), ...codecOf(plan, small), ...sound('128k'), ...hls('preview')],
    ['-i', source, '-vf', 'thumbnail,scale=320:-2', '-frames:v', '1', '-update', '1', 'poster.jpg'],
    [
      '-ss',
      String((plan.video?.endSeconds ?? 0) / 10),
      '-i',
      source,
      '-frames:v',
      '1',
      '-update',
      '1',
      'thumbnail.jpg',
    ],
  ];
  return inTurn(commands, directory);
}

async function encodersAlone(directory: string, source: string, plan: EncodePlan): Promise<Cost> {
  const total: Cost = { cpu: 0, wall: 0 };
  const frameRate = plan.video?.frameRate;
  for (const rung of plan.video?.rungs ?? []) {
    const size = `${rung.width}x${rung.height}`;
    await cpuOf(
      ['-i', source, '-an', '-vf', `scale=${rung.width}:${rung.height}`, '-f', 'rawvideo', 'raw.yuv'],
      directory,
    );
    const raw = ['-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-s', size, '-r', `${frameRate?.num}/${frameRate?.den}`];
    const { cpu, wall } = await cpuOf(
      [...raw, '-i', 'raw.yuv', ...codecOf(plan, rung), '-f', 'mp4', 'alone.mp4'],
      directory,
    );
    total.cpu += cpu;
    total.wall += wall;
  }
  return total;
}

async function inTurn(commands: string[][], directory: string): Promise<Cost> {
  const total: Cost = { cpu: 0, wall: 0 };
  for (const command of commands) {
    const { cpu, wall } = await cpuOf(command, directory);
    total.cpu += cpu;
    total.wall += wall;
  }
  return total;
}
