import { chmod, copyFile, link, open, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import type { ArchiveReason } from '../../core/contracts/archive.ts';
import { H264_AAC, make, picture, TOOLS, tone } from '../support/media.ts';

/** What has to become of a recording within the week. */
export type Fate = 'archived' | 'untouched' | ArchiveReason;

interface Clip {
  fate: Fate;
  /** Days since the last change, at the beginning of the week. */
  age?: number;
  write: (directory: string, name: string) => Promise<unknown>;
}

const SECONDS = 1;
const MOVING = picture('160x90', '25', SECONDS);
/** A recorder's stream: far more bytes than the pictures need. */
const RICH = [...H264_AAC, '-crf', '8', '-movflags', '+faststart'];
const encoded =
  (options: readonly string[] = [], inputs: readonly string[] = [...MOVING, ...tone(SECONDS)]) =>
  (directory: string, name: string) =>
    make(directory, ...inputs, ...RICH, ...options, name);

const CHAPTERS = `;FFMETADATA1
[CHAPTER]
TIMEBASE=1/1000
START=0
END=500
title=one
[CHAPTER]
TIMEBASE=1/1000
START=500
END=1000
title=two
`;

async function withText(directory: string, name: string): Promise<void> {
  await writeFile(join(directory, 'text.srt'), '1\n00:00:00,000 --> 00:00:00,900\nhello\n');
  await writeFile(join(directory, 'chapters.txt'), CHAPTERS);
  const inputs = [...MOVING, ...tone(SECONDS), '-i', 'text.srt', '-i', 'chapters.txt'];
  const maps = ['-map', '0', '-map', '1', '-map', '2', '-map_metadata', '3', '-map_chapters', '3', '-c:s', 'mov_text'];
  await make(directory, ...inputs, ...maps, ...RICH, name);
}

/** FFmpeg writes no such track: a timecode's gets another name. */
async function withTelemetry(directory: string, name: string): Promise<void> {
  await encoded(['-timecode', '01:02:03:04'])(directory, name);
  const bytes = await readFile(join(directory, name));
  for (let at = bytes.indexOf('tmcd'); at >= 0; at = bytes.indexOf('tmcd', at + 4)) bytes.write('rtmd', at);
  await writeFile(join(directory, name), bytes);
}

async function cut(directory: string, name: string): Promise<void> {
  await truncate(await encoded()(directory, name), 40_000);
}

async function damaged(directory: string, name: string): Promise<void> {
  const path = await encoded()(directory, name);
  const args = ['-v', 'error', '-select_streams', 'v', '-show_entries', 'packet=pos,size', '-of', 'csv=p=0', path];
  const lines = (await execa(TOOLS.ffprobe, args)).stdout.trim().split('\n');
  const [size = 0, position = 0] = (lines[12] ?? '').split(',').map(Number);
  const file = await open(path, 'r+');
  await file.write(Buffer.alloc(size - 40), 0, size - 40, position + 40).finally(() => file.close());
}

async function turned(directory: string, name: string): Promise<void> {
  await encoded()(directory, 'upright.tmp.mp4');
  const copy = ['-i', 'upright.tmp.mp4', '-c', 'copy'];
  // FFmpeg 6.0 has the option in the place of the tag.
  await make(directory, '-display_rotation', '90', ...copy, name).catch(() =>
    make(directory, ...copy, '-metadata:s:v:0', 'rotate=90', name),
  );
}

async function linked(directory: string, name: string): Promise<void> {
  await link(await encoded()(directory, name), join(directory, 'second-name.tmp'));
}

async function renamed(directory: string, name: string): Promise<void> {
  await copyFile(await encoded()(directory, 'matroska.tmp.mkv'), join(directory, name));
}

const HLG = ['-color_trc', 'arib-std-b67', '-color_primaries', 'bt2020', '-colorspace', 'bt2020nc'];
const PQ = ['-color_trc', 'smpte2084', '-color_primaries', 'bt2020', '-colorspace', 'bt2020nc'];
const X265 = ['-c:v', 'libx265', '-x265-params', 'log-level=error'];
const INTERLACED = ['-x264-params', 'tff=1', '-flags', '+ildct+ilme'];
const TWO_SOUNDS = [
  '-map',
  '0',
  '-map',
  '1',
  '-map',
  '2',
  '-metadata:s:a:0',
  'language=deu',
  '-metadata:s:a:1',
  'language=fra',
];
const APPLE = ['-movflags', '+use_metadata_tags', '-metadata', 'com.apple.quicktime.location.ISO6709=+48.1+011.5/'];

/** By name. */
export const LIBRARY: Readonly<Record<string, Clip>> = {
  'plain.mp4': { fate: 'archived', write: encoded() },
  'young.mp4': { fate: 'archived', age: 1.5, write: encoded() },
  'too-young.mp4': { fate: 'untouched', age: 0.2, write: encoded() },
  'vfr.mp4': { fate: 'archived', write: encoded(['-vf', "select='not(eq(mod(n,5),2))'", '-fps_mode', 'vfr']) },
  'ten-bit-hlg.mp4': { fate: 'archived', write: encoded(['-pix_fmt', 'yuv420p10le', ...HLG]) },
  'pq.mp4': { fate: 'hdr_values', write: encoded(['-pix_fmt', 'yuv420p10le', ...PQ]) },
  'two-sounds.mp4': { fate: 'archived', write: encoded(TWO_SOUNDS, [...MOVING, ...tone(SECONDS), ...tone(SECONDS)]) },
  'subtitles-and-chapters.mp4': { fate: 'archived', write: withText },
  'timecode.mov': { fate: 'archived', write: encoded(['-timecode', '01:02:03:04']) },
  'place.mov': { fate: 'archived', write: encoded(APPLE) },
  'telemetry.mov': { fate: 'data_track', write: withTelemetry },
  'full-range.mp4': { fate: 'archived', write: encoded(['-pix_fmt', 'yuvj420p']) },
  'four-two-two.mp4': { fate: 'archived', write: encoded(['-pix_fmt', 'yuv422p']) },
  'rotated.mp4': { fate: 'archived', write: turned },
  'hevc.mp4': { fate: 'codec', write: encoded(X265) },
  'interlaced.mp4': { fate: 'interlaced', write: encoded(INTERLACED, picture('160x96', '25', SECONDS)) },
  'tiny.mp4': { fate: 'savings', write: encoded(['-frames:v', '1'], picture('16x16', '25', SECONDS)) },
  'dense.mp4': { fate: 'savings', write: encoded(['-preset', 'medium', '-crf', '34']) },
  'cut.mp4': { fate: 'source_damaged', write: cut },
  'damaged.mp4': { fate: 'source_damaged', write: damaged },
  'encoder-stops-early.mp4': { fate: 'duration', write: encoded() },
  'open.mp4': { fate: 'untouched', write: encoded() },
  'two-names.mp4': { fate: 'hard_link', write: linked },
  'matroska-by-another-name.mp4': { fate: 'container', write: renamed },
};

/**
 * An FFmpeg that ends an encode early, and well, for one file.
 * @param pattern of the shell, of that file's command
 */
export async function earlyFfmpeg(directory: string, pattern = '*encoder-stops-early*libx265*'): Promise<string> {
  const path = join(directory, 'ffmpeg');
  // Options of an output stand before its name, the last argument.
  const program = `#!/bin/sh
case "$*" in
  ${pattern})
    count=$# i=1
    for argument; do
      shift
      if [ $i -lt $count ]; then set -- "$@" "$argument"; fi
      i=$((i + 1))
    done
    exec ${TOOLS.ffmpeg} "$@" -frames:v 10 "$argument" ;;
esac
exec ${TOOLS.ffmpeg} "$@"
`;
  await writeFile(path, program);
  await chmod(path, 0o755);
  return path;
}
