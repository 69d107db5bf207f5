import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';

/** The programs under test: FFMPEG_PATH and FFPROBE_PATH, else those on PATH. */
export const TOOLS = {
  ffmpeg: process.env.FFMPEG_PATH ?? 'ffmpeg',
  ffprobe: process.env.FFPROBE_PATH ?? 'ffprobe',
};

/** A directory that removes itself: `await using dir = await temporaryDirectory()`. */
export async function temporaryDirectory(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'dropreel-media-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** Inputs of one and a half seconds. The picture moves; the sound is a tone. */
export const picture = (size: string, rate = '25', seconds = 1.5) => [
  '-f',
  'lavfi',
  '-i',
  `testsrc2=s=${size}:r=${rate}:d=${seconds}`,
];
export const tone = (seconds = 1.5) => ['-f', 'lavfi', '-i', `sine=d=${seconds}:sample_rate=48000`];
/** Codecs that cost next to nothing to make. */
export const H264_AAC = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-c:a', 'aac'];

/** Runs ffmpeg in a directory; the last argument names the file, which is returned with its path. */
export async function make(directory: string, ...args: string[]): Promise<string> {
  await execa('ffmpeg', ['-nostdin', '-v', 'error', '-y', ...args], { cwd: directory });
  return join(directory, args.at(-1) ?? '');
}

export interface DecodedStream {
  codec: string;
  frames: number;
  width?: number;
  height?: number;
  seconds: number;
}

/** Decodes a file or playlist to its end; fails on the first error. One entry per track. */
export async function decodeAll(path: string): Promise<DecodedStream[]> {
  const args = ['-v', 'error', '-count_frames', '-show_streams', '-show_format', '-of', 'json', path];
  const { stdout, stderr } = await execa(TOOLS.ffprobe, args);
  if (stderr !== '') throw new Error(stderr);
  const { streams, format } = JSON.parse(stdout) as {
    streams: Record<string, string | number>[];
    format: Record<string, string>;
  };
  return streams.map((stream) => ({
    codec: String(stream.codec_name),
    frames: Number(stream.nb_read_frames),
    ...(stream.width ? { width: Number(stream.width), height: Number(stream.height) } : {}),
    seconds: Number(stream.duration ?? format.duration),
  }));
}

export async function ffmpegMajor(): Promise<number> {
  const { stdout } = await execa('ffmpeg', ['-version']);
  return Number(/version n?(\d+)/.exec(stdout)?.[1] ?? 0);
}

/** Real clips, which a fresh clone does not have. Null where they are missing. */
export const SHARED_MEDIA = await findSharedMedia();

async function findSharedMedia(): Promise<string | null> {
  const path = join(import.meta.dirname, '../../../shared/media');
  const found = await stat(path).catch(() => null);
  if (found === null) console.warn(`no ${path}: tests with real clips are skipped`);
  return found === null ? null : path;
}
