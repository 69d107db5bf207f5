import { execa } from 'execa';
import { z } from 'zod';
import { isHdr, type LightLevels } from '../../core/media/color.ts';
import type { VideoTrack } from '../../core/media/probe.ts';
import { confined } from './ffmpeg/demuxers.ts';
import { command, PROBE_LIMITS, type Tools } from './ffmpeg/run.ts';
import { checkInTime, type Input } from './input/input.ts';

const SideData = z.object({
  max_luminance: z.string().optional(),
  max_content: z.number().optional(),
});
const Frames = z.object({
  frames: z.array(z.object({ side_data_list: z.array(SideData).default([]) })).default([]),
});

/** Packets that are read: the first may give no picture. */
const PACKETS = 30;

/** How bright the first pictures of HDR say that they are. Nothing where they cannot be read, and of SDR. */
export async function readLight(
  tools: Tools,
  input: Input,
  { index, color }: VideoTrack,
  signal: AbortSignal,
): Promise<LightLevels | undefined> {
  if (!isHdr(color)) return undefined;
  const args = [
    ...[
      '-v',
      'quiet',
      ...confined(input.protocols),
      '-select_streams',
      String(index),
      '-read_intervals',
      `%+#${PACKETS}`,
    ],
    ...['-show_frames', '-show_entries', 'frame_side_data=max_luminance,max_content', '-of', 'json'],
    input.nameIn(input.directory),
  ];
  const options = { cwd: input.directory, reject: false, cancelSignal: signal, ...PROBE_LIMITS } as const;
  const result = await execa(...command(tools, 'ffprobe', args), options);
  signal.throwIfAborted();
  checkInTime(input, result);
  const { stdout, failed } = result;
  return lightOf(failed ? [] : Frames.parse(JSON.parse(stdout)).frames.flatMap(({ side_data_list }) => side_data_list));
}

function lightOf(said: z.infer<typeof SideData>[]): LightLevels {
  const brightestPixel = said.find(({ max_content }) => max_content !== undefined)?.max_content;
  const [num, den] = (said.find(({ max_luminance }) => max_luminance !== undefined)?.max_luminance ?? '').split('/');
  return { brightestPixel, masteringPeak: num && den ? Number(num) / Number(den) : undefined };
}
