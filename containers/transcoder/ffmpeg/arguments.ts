import { FILES } from '../../../core/contracts/outputs.ts';
import { type Chunk, seekSeconds } from '../../../core/media/chunk.ts';
import type { AudioPlan, AudioRendition, EncodePlan, VideoPlan } from '../../../core/media/encode-plan.ts';
import { decodedSize } from '../../../core/media/plan-outputs.ts';
import type { Input } from '../input/input.ts';
import { wholeName } from '../split.ts';
import { CHECKED } from './complaints.ts';
import { confined } from './demuxers.ts';
import { type Encoder, encoderArguments } from './encoders.ts';
import {
  ladderGraphs,
  MP4_LABEL,
  PICTURE_LABEL,
  POSTER_LABEL,
  pictureGraph,
  rungLabel,
  type Scaler,
  SOUND_LABEL,
  soundGraph,
  THUMBNAIL_LABEL,
  WITNESS_LABEL,
} from './filters.ts';

/** Descriptor on which the decode writes the sound. */
export const PCM_FD = 5;
/** Bytes of a sample of one channel in the decoded sound. */
export const SAMPLE_BYTES = 4;

/**
 * FFmpeg 5.1 stamps frames of packets without times, as Matroska has where several are in a block, too late by as many as its threads hold.
 * Sound needs no threads.
 */
export const ONE_THREAD_OF_SOUND = ['-threads:a', '1'];

/** Neither tags nor chapters of the source. */
const BARE = ['-map_metadata', '-1', '-map_chapters', '-1'];

/**
 * The decode: pictures of one size as raw video on its output, sound of one rate as PCM on descriptor 5. Each has a graph of its own,
 * because FFmpeg builds a graph anew where any of its inputs changes.
 */
export function decodeArguments(
  plan: EncodePlan,
  input: Input,
  options: { toneMap: boolean; onGpu: boolean; cwd: string },
): string[] {
  const { video, audio, chunk } = plan;
  const size = video && decodedSize(video, plan.mp4);
  return [
    ...confined(input.protocols),
    ...(audio?.wrongChecksums ? [] : CHECKED),
    ...(video?.turn ? ['-noautorotate'] : []),
    ...(video?.oneByOne ? ['-thread_type:v', 'slice'] : []),
    ...ONE_THREAD_OF_SOUND,
    // Decoded pictures come back to memory, where the filters are. What the GPU does not decode, the CPU does.
    ...(options.onGpu ? ['-hwaccel', 'cuda'] : []),
    ...[
      '-dts_delta_threshold',
      String(plan.jumpSeconds),
      ...(chunk ? seek(chunk) : []),
      '-i',
      input.nameIn(options.cwd),
    ],
    ...(video && size ? rawPictures(video, pictureGraph(video, size, options.toneMap, chunk)) : []),
    ...(audio ? ['-filter_complex', soundGraph(audio), '-map', SOUND_LABEL, ...BARE] : []),
    // Plain PCM has no times: without the numbers, FFmpeg complains where those of the source overlap.
    ...(audio ? ['-c:a', 'pcm_f32le', '-bsf:a', 'setts=ts=N', '-f', 'f32le', `pipe:${PCM_FD}`] : []),
  ];
}

/**
 * Begins to read early, at the keyframe that FFmpeg finds, and keeps the source's clock, counted from the file's start: the filters decide what
 * belongs to the chunk. `-ss` and `-t` by themselves lose or double pictures, because `-t` counts from the first picture that is found.
 */
function seek(chunk: Chunk): string[] {
  const at = seekSeconds(chunk);
  return ['-copyts', '-start_at_zero', '-noaccurate_seek', ...(at > 0 ? ['-ss', String(at)] : [])];
}

/** Raw video carries no captions. Lossless H.264 does, at the price of coding each picture once more. */
const KEEPS_CAPTIONS = ['libx264', '-qp', '0', '-preset', 'ultrafast'];

function rawPictures({ timescale, captions }: VideoPlan, graph: string): string[] {
  return [
    ...['-filter_complex', graph, '-map', PICTURE_LABEL, ...BARE],
    ...['-c:v', ...(captions ? KEEPS_CAPTIONS : ['rawvideo'])],
    // Otherwise FFmpeg 5.1 rounds times to the frame rate.
    ...['-fps_mode:v', 'vfr', '-enc_time_base:v', `1:${timescale}`],
    ...[...KEEP_TIMES, '-f', 'nut', 'pipe:1'],
  ];
}

/**
 * Makes the rungs and the pictures from the decode's output. Runs with the output directory as its working directory.
 *
 * Every rendition is fMP4 with an edit list for what precedes time zero (AAC priming, the B-frames' delay): `avoid_negative_ts disabled`
 * leaves it to the muxer, which otherwise shifts each stream by a different amount.
 */
export function ladderArguments(
  plan: EncodePlan,
  video: VideoPlan,
  { encoder, scaler }: { encoder: Encoder; scaler: Scaler },
): string[] {
  const format = scaler === 'cuda' ? 'cuda' : 'yuv420p';
  return [
    // Raw video says all in its head. Without -copyts, FFmpeg would count from the first picture.
    ...['-copyts', '-protocol_whitelist', 'pipe', '-fpsprobesize', '0', '-f', 'nut', '-i', 'pipe:0'],
    ...ladderGraphs(plan, video, scaler).flatMap((graph) => ['-filter_complex', graph]),
    ...video.rungs.flatMap((rung, i) => [
      ...['-map', rungLabel(rung.name)],
      ...encoderArguments(encoder, plan, video, {
        ...rung,
        format,
        profile: plan.mp4?.rung === rung.name ? 'main' : 'high',
        measured: i === 0,
      }),
      ...fragmented(rung.name, plan.chunk),
    ]),
    ...(plan.mp4?.encode
      ? [
          '-map',
          MP4_LABEL,
          ...encoderArguments(encoder, plan, video, { ...plan.mp4.encode, format, profile: 'main' }),
          ...fragmented(OWN_MP4, plan.chunk),
        ]
      : []),
    ...picture(plan.thumbnail && THUMBNAIL_LABEL, FILES.thumbnail.file),
    ...picture(plan.poster && POSTER_LABEL, FILES.poster.file),
    ...(plan.chunk ? witness(video) : []),
  ];
}

/** Opens the encoders of `ladderArguments` on a GPU for two pictures each, and keeps nothing. */
export function probeArguments(plan: EncodePlan, video: VideoPlan): string[] {
  const streams = [...video.rungs, ...(plan.mp4?.encode ? [plan.mp4.encode] : [])];
  return [
    ...streams.flatMap(({ width, height }) => ['-f', 'lavfi', '-i', `color=size=${width}x${height}:duration=1`]),
    ...streams.flatMap((codec, i) => [
      ...[
        '-map',
        String(i),
        ...encoderArguments('h264_nvenc', plan, video, { ...codec, format: 'yuv420p', profile: 'main' }),
      ],
      ...['-frames:v', '2', '-f', 'null', '-'],
    ]),
  ];
}

/** Makes the renditions of sound from PCM. */
export function soundArguments(
  { sampleRate, channels, renditions, loudnessTarget }: AudioPlan,
  { segmentSeconds }: Pick<EncodePlan, 'segmentSeconds'>,
): string[] {
  return [
    ...[
      '-protocol_whitelist',
      'pipe',
      '-f',
      'f32le',
      '-ar',
      String(sampleRate),
      '-ac',
      String(channels),
      '-i',
      'pipe:0',
    ],
    ...(loudnessTarget === undefined
      ? []
      : ['-filter_complex', loudness(loudnessTarget, sampleRate, channels, renditions)]),
    ...renditions.flatMap((rendition) => [
      ...[
        '-map',
        loudnessTarget === undefined ? '0:a' : `[${rendition.file}]`,
        '-c:a',
        'aac',
        '-b:a',
        String(rendition.bitrate),
      ],
      ...segmented(rendition.file, segmentSeconds),
    ]),
  ];
}

/**
 * Brings sound to a loudness while it passes, because what reads it first and then changes it would hold a film's sound until its end.
 * The gain follows what was heard; LRA=20 leaves the range as wide as the filter can. It works at 192 kHz and gives as many samples as it
 * gets (measured with 0.5 to 20 s).
 */
function loudness(target: number, sampleRate: number, channels: number, renditions: readonly AudioRendition[]): string {
  const layout = channels === 1 ? 'mono' : 'stereo';
  const loud = `[0:a]loudnorm=I=${target}:TP=-1:LRA=20,aresample=${sampleRate},aformat=channel_layouts=${layout}`;
  return `${loud},asplit=${renditions.length}${renditions.map(({ file }) => `[${file}]`).join('')}`;
}

/** File of a chunk's witness. */
export const WITNESS_FILE = 'witness.md5';

/** The picture of an MP4 that is encoded by itself, before it is joined with the sound. */
const OWN_MP4 = 'mp4';

/** Names of all that is encoded of the pictures: the rungs, and the MP4's own. */
export function pictureFiles({ video, mp4 }: EncodePlan): string[] {
  return [...(video?.rungs ?? []).map(({ name }) => name), ...(mp4?.encode ? [OWN_MP4] : [])];
}

/** Names of the files that the MP4 is made of. */
export function mp4Parts(plan: EncodePlan): string[] {
  const sound = plan.audio?.renditions.find((rendition) => rendition.name === plan.mp4?.audio);
  return [plan.mp4?.rung ?? OWN_MP4, ...(sound ? [sound.file] : [])].map(wholeName);
}

/**
 * Joins finished picture and sound. Each packet of the picture gets the duration of the last one: an MP4's samples last until the next
 * one in any case, and the muxer announces the latest end as the length. The picture before a pause may be decoded before one that is
 * shown earlier, so that a packet's time and the time to the next packet may add up to more than the length.
 */
export function mp4Arguments(plan: EncodePlan, video: VideoPlan): string[] {
  const parts = mp4Parts(plan);
  return [
    '-copyts',
    ...parts.flatMap((part) => ['-protocol_whitelist', 'file', '-i', part]),
    ...parts.flatMap((_, i) => ['-map', String(i)]),
    ...['-c', 'copy', ...BARE, '-bsf:v', `setts=pts=PTS:dts=DTS:duration=${video.lastFrameSeconds.toFixed(6)}/TB`],
    ...[...KEEP_TIMES, '-movflags', '+faststart', '-f', 'mp4', plan.mp4?.file ?? ''],
  ];
}

const KEEP_TIMES = ['-avoid_negative_ts', 'disabled'];

/**
 * A fragment per keyframe: splitRenditions makes segments of them. Those of a chunk have the film's times, and no edit list: finishChunk
 * writes their decode times anew.
 */
function fragmented(file: string, chunk: Chunk | undefined): string[] {
  const flags = '+frag_keyframe+delay_moov+default_base_moof';
  const own = chunk ? ['-use_editlist', '0'] : [];
  const times = chunk ? '+frag_discont+negative_cts_offsets' : '';
  return [...KEEP_TIMES, ...own, '-f', 'mp4', '-movflags', `${flags}${times}`, wholeName(file)];
}

/** Times and checksums of the pictures beside the joints of a chunk, a line each. */
function witness({ timescale }: VideoPlan): string[] {
  const pictures = ['-map', WITNESS_LABEL, '-fps_mode:v', 'passthrough', '-enc_time_base:v', `1:${timescale}`];
  return [...pictures, '-c:v', 'rawvideo', '-f', 'framemd5', WITNESS_FILE];
}

/**
 * A fragment for each segment of sound, which FFmpeg's HLS muxer cuts at the frame nearest to each multiple of the time; the MP4 muxer would
 * count each fragment from the one before. Its playlist is not used, nor its index of each segment.
 */
function segmented(file: string, seconds: number): string[] {
  return [
    ...[...KEEP_TIMES, '-f', 'hls', '-hls_time', String(seconds), '-hls_playlist_type', 'vod'],
    ...['-hls_segment_type', 'fmp4', '-hls_segment_options', 'movflags=+skip_sidx', '-hls_flags', 'single_file'],
    ...['-hls_segment_filename', wholeName(file), '/dev/null'],
  ];
}

function picture(label: string | undefined, file: string): string[] {
  if (label === undefined) return [];
  // Two frames, a second apart, the second written over the first: see filters.ts. On a clock of the frame rate, whose ticks may be
  // longer than a second, both could get the same time.
  const frames = ['-map', label, '-frames:v', '2', '-fps_mode:v', 'vfr', '-enc_time_base:v', '1:1000'];
  return [...frames, '-c:v', 'mjpeg', '-q:v', '3', '-f', 'image2', '-update', '1', file];
}
