import { z } from 'zod';

/** What a file holds, as ffprobe tells it: everything that an archived copy must have as well. */

const Num = z.coerce.number().optional().catch(undefined);
const Text = z
  .string()
  .optional()
  .transform((text) => (text === 'unknown' || text === 'reserved' ? undefined : text));
const Tags = z.record(z.string(), z.string()).default({});

const SideData = z.looseObject({ side_data_type: z.string().default(''), rotation: Num });
export type SideData = z.infer<typeof SideData>;

const Stream = z.object({
  index: z.number().int(),
  codec_type: z.string().default('data'),
  codec_name: z.string().optional(),
  codec_tag_string: z.string().default(''),
  width: Num,
  height: Num,
  sample_aspect_ratio: z.string().optional(),
  pix_fmt: Text,
  color_range: Text,
  color_space: Text,
  color_transfer: Text,
  color_primaries: Text,
  field_order: Text,
  avg_frame_rate: z.string().optional(),
  /** `1/90000` */
  time_base: z
    .string()
    .regex(/^\d{1,10}\/\d{1,10}$/)
    .default('1/1'),
  /** Of the index; it counts pictures that an edit list hides. */
  nb_frames: Num,
  disposition: z.record(z.string(), z.number()).default({}),
  side_data_list: z.array(SideData).default([]),
  tags: Tags,
});
export type Stream = z.infer<typeof Stream>;

/** ffprobe's `-show_streams -show_format -show_chapters`, of which these are read. */
export const Description = z.object({
  streams: z.array(Stream).default([]),
  chapters: z.array(z.object({ start_time: Num, end_time: Num, tags: Tags })).default([]),
  format: z.object({ format_name: z.string(), duration: Num, tags: Tags }),
  /** Side data of the first pictures. FFmpeg 5.1 tells of HDR there only. */
  frames: z.array(z.object({ side_data_list: z.array(SideData).default([]) })).default([]),
});
export type Description = z.infer<typeof Description>;

/** When each presented packet of a track is shown, in ticks of its time base, ascending. */
export interface TrackTimes {
  base: { num: bigint; den: bigint };
  shown: bigint[];
  /** With the hidden ones. */
  packets: number;
}

export interface Inspection {
  description: Description;
  /** Bytes of the file. */
  bytes: number;
  /** By the track's index. */
  times: ReadonlyMap<number, TrackTimes>;
  /** SHA-256 of the payload of each copied track, by its index. */
  hashes: ReadonlyMap<number, string>;
}

export function isCover({ disposition }: Stream): boolean {
  return disposition.attached_pic === 1 || disposition.timed_thumbnails === 1;
}

/** The tracks of moving pictures. */
export function videosOf({ streams }: Description): Stream[] {
  return streams.filter((stream) => stream.codec_type === 'video' && !isCover(stream));
}

/** A track that the muxer writes anew from what it stands for: the titles of chapters, and the timecode. */
export function isRebuilt(stream: Stream, { chapters }: Description): boolean {
  if (stream.codec_type !== 'data') return false;
  return stream.codec_tag_string === 'tmcd' || (stream.codec_tag_string === 'text' && chapters.length > 0);
}

/** The tracks whose packets are copied: all but the picture that is encoded, and those that are rebuilt. */
export function copiedOf(description: Description): Stream[] {
  const [video] = videosOf(description);
  return description.streams.filter((stream) => stream !== video && !isRebuilt(stream, description));
}

/** Degrees, as the display matrix has them. */
export function rotationOf({ side_data_list }: Stream): number {
  return side_data_list.find(({ rotation }) => rotation !== undefined)?.rotation ?? 0;
}

/** Side data of the picture's track and of its first pictures. */
export function sideDataOf(description: Description): SideData[] {
  const [video] = videosOf(description);
  return [...(video?.side_data_list ?? []), ...description.frames.flatMap((frame) => frame.side_data_list)];
}
