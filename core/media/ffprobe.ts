import { z } from 'zod';
import { FOR_SOME } from './sides.ts';

/** What ffprobe says of a file. */

const Num = z.coerce.number().optional().catch(undefined);
const Text = z
  .string()
  .optional()
  .transform((text) => (text === 'unknown' || text === 'reserved' ? undefined : text));

const Stream = z.object({
  index: z.number().int(),
  codec_type: z.string().optional(),
  codec_name: z.string().optional(),
  width: Num,
  height: Num,
  sample_aspect_ratio: z.string().optional(),
  pix_fmt: Text,
  color_primaries: Text,
  color_transfer: Text,
  color_space: Text,
  field_order: Text,
  codec_tag_string: z.string().optional(),
  r_frame_rate: z.string().optional(),
  avg_frame_rate: z.string().optional(),
  start_time: Num,
  duration: Num,
  duration_ts: Num,
  nb_frames: Num,
  channels: Num,
  channel_layout: Text,
  sample_rate: Num,
  disposition: z.record(z.string(), z.number()).default({}),
  side_data_list: z
    .array(
      z.object({
        side_data_type: Text,
        type: Text,
        rotation: Num,
        dv_profile: Num,
        dv_bl_signal_compatibility_id: Num,
        crop_top: Num,
        crop_bottom: Num,
        crop_left: Num,
        crop_right: Num,
        /** Set where it was found by our own reading, so that FFmpeg does not crop. */
        byUs: z.literal(true).optional(),
      }),
    )
    .default([]),
  tags: z
    .object({ enc_key_id: z.string().optional(), language: z.string().optional(), alpha_mode: z.string().optional() })
    .default({}),
});
export type Stream = z.infer<typeof Stream>;

/**
 * Sound that FFmpeg takes for something else, by the tags of its tracks in transport streams: by that of a registration descriptor, which
 * is data to FFmpeg before 7.0, and by a stream type, the first of four bytes (MPEG-H: ISO/IEC 13818-1, 2.4.4), which is MP3 to it.
 */
const SOUND_TAGS = new Map([
  ['AC-4', 'ac4'],
  ['-[0][0][0]', 'mpegh_3d_audio'],
  ['.[0][0][0]', 'mpegh_3d_audio'],
]);

/** Gives a track of sound that FFmpeg does not know, or mistakes, the codec that its tag says. */
function named(stream: Stream): Stream {
  const sound = SOUND_TAGS.get(stream.codec_tag_string ?? '');
  return sound === undefined ? stream : { ...stream, codec_type: 'audio', codec_name: sound };
}

/**
 * The fields requested from ffprobe, all that FfprobeOutput reads and nothing else: tags alone can be 40 MB. `enc_key_id` is how FFmpeg
 * reports that a Matroska track is encrypted (libavformat/matroskadec.c).
 */
export const PROBE_ENTRIES = Object.entries({
  stream: [
    'index,codec_type,codec_name,codec_tag_string,width,height,sample_aspect_ratio,pix_fmt,field_order,nb_frames',
    'color_primaries,color_transfer,color_space,r_frame_rate,avg_frame_rate,start_time,duration,duration_ts,channels',
    'channel_layout,sample_rate',
  ],
  stream_disposition: ['default', 'attached_pic', 'timed_thumbnails', 'dub', ...FOR_SOME],
  stream_side_data: [
    'side_data_type,type,rotation,dv_profile,dv_bl_signal_compatibility_id',
    'crop_top,crop_bottom,crop_left,crop_right',
  ],
  stream_tags: ['enc_key_id,language,alpha_mode'],
  chapter: ['id'],
  program: ['program_id'],
  program_stream: ['index'],
  format: ['format_name,start_time,duration'],
})
  .map(([section, fields]) => `${section}=${fields.join(',')}`)
  .join(':');

/** `ffprobe -show_entries {PROBE_ENTRIES} -of json` */
export const FfprobeOutput = z
  .object({
    streams: z.array(Stream).default([]),
    chapters: z.array(z.object({})).default([]),
    /** Channels of a broadcast that are in one file. */
    programs: z.array(z.object({ streams: z.array(z.object({ index: z.number().int() })).default([]) })).default([]),
    format: z.object({ format_name: z.string(), start_time: Num, duration: Num }),
  })
  .transform((output) => ({ ...output, streams: output.streams.map(named) }));
export type FfprobeOutput = z.infer<typeof FfprobeOutput>;
