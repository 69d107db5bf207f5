import { basename, dirname } from 'node:path';
import { execa } from 'execa';
import { z } from 'zod';
import { isHdr, type LightLevels } from '../../core/media/color.ts';
import type { VideoTrack } from '../../core/media/probe.ts';
import { confined } from './ffmpeg/demuxers.ts';
import { command, PROBE_LIMITS, type Tools } from './ffmpeg/run.ts';

const SideData = z.object({
  side_data_type: z.string().optional(),
  max_luminance: z.string().optional(),
  max_content: z.number().optional(),
});
const Frames = z.object({
  frames: z.array(z.object({ side_data_list: z.array(SideData).default([]) })).default([]),
});

/** Codecs with messages beside their pictures (SEI, user data): https://ffmpeg.org/doxygen/trunk/atsc__a53_8h.html */
const WITH_MESSAGES = new Set(['h264', 'hevc', 'mpeg2video']);
/** Packets that are read: broadcasts have caption data with each picture, empty where nobody speaks. */
const PACKETS = 30;
/** Of longer videos, in seconds, captions are looked for at these many places more: a programme may follow others that have none. */
const SHORT = 60;
const PLACES = 8;

export interface FirstFrames {
  /** Whether the pictures carry CEA-608 or CEA-708 captions. */
  captions: boolean;
  /** Of HDR only. */
  light?: LightLevels;
}

/**
 * What the first pictures of a track carry beside their colours, which the header does not show. Nothing where they cannot be read.
 * @param options.seconds Length of the track.
 */
export async function readFirstFrames(
  tools: Tools,
  file: string,
  track: VideoTrack,
  options: { seconds: number; signal: AbortSignal },
): Promise<FirstFrames> {
  const { seconds, signal } = options;
  const hdr = isHdr(track.color);
  if (!hdr && !WITH_MESSAGES.has(track.codec)) return { captions: false };
  const source = { tools, file, track: track.index, signal };
  const said = await readFrames(source, [`%+#${PACKETS}`]);
  const captions = hasCaptions(said) || (seconds > SHORT && hasCaptions(await readFrames(source, places(seconds))));
  return { captions, ...(hdr && { light: lightOf(said) }) };
}

/** Parts of the file for ffprobe, one from each of the places. */
function places(seconds: number): string[] {
  return Array.from({ length: PLACES }, (_, i) => `${((seconds * (i + 0.5)) / PLACES).toFixed(3)}%+#${PACKETS}`);
}

type Said = z.infer<typeof SideData>[];

function hasCaptions(said: Said): boolean {
  return said.some(({ side_data_type }) => side_data_type === 'ATSC A53 Part 4 Closed Captions');
}

async function readFrames(
  { tools, file, track, signal }: { tools: Tools; file: string; track: number; signal: AbortSignal },
  parts: string[],
): Promise<Said> {
  const args = [
    ...['-v', 'quiet', ...confined(), '-select_streams', String(track), '-read_intervals', parts.join(',')],
    ...['-show_frames', '-show_entries', 'frame_side_data=side_data_type,max_luminance,max_content', '-of', 'json'],
    `./${basename(file)}`,
  ];
  const options = { cwd: dirname(file), reject: false, cancelSignal: signal, ...PROBE_LIMITS } as const;
  const { stdout, failed } = await execa(...command(tools, 'ffprobe', args), options);
  signal.throwIfAborted();
  return failed ? [] : Frames.parse(JSON.parse(stdout)).frames.flatMap(({ side_data_list }) => side_data_list);
}

function lightOf(said: Said): LightLevels {
  const brightestPixel = said.find(({ max_content }) => max_content !== undefined)?.max_content;
  const [num, den] = (said.find(({ max_luminance }) => max_luminance !== undefined)?.max_luminance ?? '').split('/');
  return { brightestPixel, masteringPeak: num && den ? Number(num) / Number(den) : undefined };
}
