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

export interface FirstFrames {
  /** Whether the pictures carry CEA-608 or CEA-708 captions. */
  captions: boolean;
  /** Of HDR only. */
  light?: LightLevels;
}

/** What the first pictures of a track carry beside their colours, which the header does not show. Nothing where they cannot be read. */
export async function readFirstFrames(
  tools: Tools,
  file: string,
  track: VideoTrack,
  signal: AbortSignal,
): Promise<FirstFrames> {
  const hdr = isHdr(track.color);
  if (!hdr && !WITH_MESSAGES.has(track.codec)) return { captions: false };
  const args = [
    ...['-v', 'quiet', ...confined(), '-select_streams', String(track.index), '-read_intervals', `%+#${PACKETS}`],
    ...['-show_frames', '-show_entries', 'frame_side_data=side_data_type,max_luminance,max_content', '-of', 'json'],
    `./${basename(file)}`,
  ];
  const options = { cwd: dirname(file), reject: false, cancelSignal: signal, ...PROBE_LIMITS } as const;
  const { stdout, failed } = await execa(...command(tools, 'ffprobe', args), options);
  signal.throwIfAborted();
  const said = failed ? [] : Frames.parse(JSON.parse(stdout)).frames.flatMap(({ side_data_list }) => side_data_list);
  const captions = said.some(({ side_data_type }) => side_data_type === 'ATSC A53 Part 4 Closed Captions');
  return { captions, ...(hdr && { light: lightOf(said) }) };
}

function lightOf(said: readonly z.infer<typeof SideData>[]): LightLevels {
  const brightestPixel = said.find(({ max_content }) => max_content !== undefined)?.max_content;
  const [num, den] = (said.find(({ max_luminance }) => max_luminance !== undefined)?.max_luminance ?? '').split('/');
  return { brightestPixel, masteringPeak: num && den ? Number(num) / Number(den) : undefined };
}
