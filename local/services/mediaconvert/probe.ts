import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { z } from 'zod';
import { JobError } from './job-error.ts';

/** What the service sees of an input: here, what ffprobe sees of it. */

const run = promisify(execFile);

const Stream = z.object({
  index: z.number(),
  codec_type: z.string().default(''),
  codec_name: z.string().default('unknown'),
  codec_tag_string: z.string().default(''),
  width: z.number().optional(),
  height: z.number().optional(),
  sample_aspect_ratio: z.string().optional(),
  pix_fmt: z.string().optional(),
  color_transfer: z.string().optional(),
  color_range: z.string().optional(),
  field_order: z.string().optional(),
  r_frame_rate: z.string().optional(),
  avg_frame_rate: z.string().optional(),
  channels: z.number().optional(),
  sample_rate: z.coerce.number().optional(),
  nb_frames: z.coerce.number().optional().catch(undefined),
  disposition: z.record(z.string(), z.number()).default({}),
  tags: z.object({ language: z.string().optional() }).default({}),
  side_data_list: z.array(z.object({ rotation: z.number().optional() })).default([]),
});
const Probed = z.object({
  streams: z.array(Stream).default([]),
  format: z.object({ format_name: z.string(), duration: z.coerce.number().optional().catch(undefined) }),
});

export type Track = z.infer<typeof Stream>;

export interface ProbedInput {
  /** FFmpeg's name of the demuxer. */
  format: string;
  /** Seconds; 0 where the container has no value. */
  duration: number;
  video?: Track;
  /** In the order in which the service counts them, from 1. */
  audio: Track[];
}

/** Demuxers of FFmpeg for containers that the service reads: https://docs.aws.amazon.com/mediaconvert/latest/ug/reference-codecs-containers-input.html */
const DEMUXERS = [
  ...['aiff', 'asf', 'avi', 'flac', 'flv', 'gif', 'matroska,webm', 'mov,mp4,m4a,3gp,3g2,mj2', 'mp3', 'mpeg'],
  ...['mpegts', 'mxf', 'ogg', 'wav', 'aac'],
].join(',');

/** Arguments of FFmpeg's programs for a file that a stranger may have made: no other file and no other format is opened for it. */
export const CONFINED = ['-protocol_whitelist', 'file', '-format_whitelist', DEMUXERS];

export async function probeInput(ffprobe: string, file: string): Promise<ProbedInput> {
  const args = ['-v', 'error', ...CONFINED, '-show_streams', '-show_format', '-of', 'json', file];
  const { stdout } = await run(ffprobe, args, { maxBuffer: 64 << 20 }).catch((error: { stderr?: string }) => {
    throw unreadable(error.stderr ?? '');
  });
  const { streams, format } = Probed.parse(JSON.parse(stdout));
  const video = streams.find(({ codec_type, disposition }) => codec_type === 'video' && disposition.attached_pic !== 1);
  return {
    format: format.format_name,
    duration: format.duration ?? 0,
    ...(video && { video }),
    audio: streams.filter(({ codec_type }) => codec_type === 'audio'),
  };
}

/** The texts are of jobs that failed in 2025. */
function unreadable(stderr: string): JobError {
  if (stderr.includes('moov atom not found')) return new JobError(1075, 'Demuxer: [no moov box found in file]');
  return new JobError(1010, 'Unable to open input file: [Failed probe/open: [No parser found for container]]');
}

export function fraction(text: string | undefined): { num: number; den: number } | undefined {
  const [num = 0, den = 0] = (text ?? '').split(/[/:]/).map(Number);
  return num > 0 && den > 0 ? { num, den } : undefined;
}

/** Clockwise degrees by which the picture is to be turned. */
export function rotationOf({ side_data_list }: Track): number {
  const rotation = side_data_list.find((data) => data.rotation !== undefined)?.rotation ?? 0;
  return ((Math.round(-rotation) % 360) + 360) % 360;
}
