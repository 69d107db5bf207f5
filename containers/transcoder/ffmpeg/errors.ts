import { DropreelError } from '../../../core/contracts/errors.ts';
import { unsupportedCodec } from '../../../core/media/choose.ts';
import { encrypted, limitPixels } from '../../../core/media/probe.ts';
import { type Complaints, cut } from './complaints.ts';

const PLAYLISTS = /\[(?:hls|dash|concat|concatf|ffmetadata|sdp|rtsp|applehttp|imf|webm_dash_manifest|rpl) @/;
const PICTURES = /\[(?:[a-z0-9]{1,16}_pipe|image2|gif|apng|ico|tiff|webp(?:_anim)?) @/;
const TEXTS =
  /\[(?:srt|ass|webvtt|ttml|sami|subviewer1?|microdvd|mpl2|vplayer|realtext|jacosub|pjs|stl|scc|lrc|aqtitle|vobsub|sup) @/;

/** FFmpeg's message for a picture beyond -max_pixels. */
export const PICTURE_SIZE = /Picture size (\d{1,10})x(\d{1,10})/;

/** Whether FFmpeg says that a track of Matroska is encrypted without a key's name; one with a name it reports by a tag. */
export function saysEncrypted(stderr: string): boolean {
  return stderr.includes('[matroska,webm @') && stderr.includes('] Unsupported encoding type');
}

/** Why ffprobe could not open a file. */
export function probeFailure(stderr: string): DropreelError {
  const detail = cut(stderr);
  const size = PICTURE_SIZE.exec(stderr);
  if (size) return limitPixels(Number(size[1]), Number(size[2]));
  // Audible's files: libavformat/mov.c asks for the buyer's key.
  if (stderr.includes('activation_bytes')) return encrypted();
  if (stderr.includes('not on whitelist')) return refusedFormat(stderr, detail);
  if (
    /moov atom not found|error reading header|Missing packet table|EBML header parsing failed|Header processing failed/.test(
      stderr,
    )
  ) {
    return new DropreelError('corrupt', 'The file is damaged or incomplete: its index cannot be read.', { detail });
  }
  return new DropreelError('not_media', 'The file is not audio or video in any format that FFmpeg supports.', {
    detail,
  });
}

function refusedFormat(stderr: string, detail: string): DropreelError {
  const line = stderr.split('\n').find((text) => text.includes('not on whitelist')) ?? '';
  if (PLAYLISTS.test(line)) {
    const message = 'The file is a playlist or manifest: it names other files instead of holding media.';
    return new DropreelError('playlist_refused', message, { detail });
  }
  if (PICTURES.test(line)) {
    return new DropreelError('still_image', 'The file is a picture, not video or audio.', { detail });
  }
  if (TEXTS.test(line)) {
    return new DropreelError('no_tracks', 'The file has subtitles only, no video or audio.', { detail });
  }
  return new DropreelError('not_media', 'The file is not audio or video.', { detail });
}

/** FFmpeg exits with code 0 even when the last bytes of a file, or those of one file of a tee, could not be written. */
export function saysDiskFull(stderr: string): boolean {
  return stderr.includes('No space left on device');
}

const NO_DECODER = [
  /Decoder \(codec ([\w.]{1,24})\) not found/,
  /Decoding requested, but no decoder found for: (\S{1,24})/,
];

/** FFmpeg's messages when nothing of a track could be decoded: the file is at fault. */
const NOTHING_DECODED =
  /Invalid data found when processing input|Output file is empty|Error while processing the decoded data|Cannot determine format of input/;

/** A sample whose index entry points behind the end of the file: libavformat/mov.c, with an offset that means nothing to people. */
const BEHIND_END = /: partial file$/;

/** The error for a source that could not be read without errors: `fault` is the first of them. */
export function damaged(fault: string, detail: string): DropreelError {
  if (BEHIND_END.test(fault)) {
    return new DropreelError('truncated', 'The file is cut off: its index names media behind its end.', { detail });
  }
  return new DropreelError('corrupt', `The file is damaged: ${fault}`, { detail });
}

/** FFmpeg's exit code when more than two thirds of what it decodes has errors: https://ffmpeg.org/ffmpeg.html, -max_error_rate */
const MOSTLY_ERRORS = 69;

/** Why an encode failed. */
export function encodeFailure(
  said: Complaints,
  exit: { code: number | undefined; signal: string | undefined; started: boolean },
): DropreelError {
  const detail = said.tail;
  if (saysDiskFull(detail)) {
    return new DropreelError('disk_full', 'The scratch disk became full while encoding.', { detail });
  }
  if (exit.signal === 'SIGKILL' || /Cannot allocate memory/.test(detail)) {
    return new DropreelError('out_of_memory', 'FFmpeg was killed or refused for lack of memory.', { detail });
  }
  const decoder = NO_DECODER.map((pattern) => pattern.exec(detail)).find((match) => match !== null);
  if (decoder) return new DropreelError('unsupported_codec', unsupportedCodec(decoder[1]).message, { detail });
  const size = PICTURE_SIZE.exec(detail);
  if (size) return limitPixels(Number(size[1]), Number(size[2]));
  if (said.fault !== undefined && BEHIND_END.test(said.fault)) return damaged(said.fault, detail);
  if (!exit.started && NOTHING_DECODED.test(detail)) {
    return new DropreelError('corrupt', `Nothing of the file could be decoded: ${said.sentence}`, { detail });
  }
  if (exit.code === MOSTLY_ERRORS) {
    return new DropreelError('corrupt', `Most of the file could not be decoded: ${said.sentence}`, { detail });
  }
  const how = exit.signal ? `by ${exit.signal}` : `with exit code ${exit.code}`;
  return new DropreelError('encode_failed', `FFmpeg ended ${how}: ${said.sentence}`, { detail });
}

/** FFmpeg's messages where a GPU cannot be used, the more telling ones first: libavcodec/nvenc.c, libavutil/hwcontext_cuda.c. */
const GPU_FAILURES: readonly [RegExp, string][] = [
  [/Cannot load libcuda/, 'There is no driver of NVIDIA in the container.'],
  [
    /Cannot load libnvidia-encode/,
    'The driver in the container lacks its encoder: NVIDIA_DRIVER_CAPABILITIES must name video.',
  ],
  [/does not support the required nvenc API version/, "The host's driver is older than this FFmpeg needs."],
  [/CUDA_ERROR_NO_DEVICE|No CUDA capable devices found/, 'The container has no GPU.'],
  [
    /OpenEncodeSessionEx failed: out of memory/,
    'The GPU opens no more encoders: its memory or its sessions are used up.',
  ],
  [
    /OpenEncodeSessionEx failed: unsupported device|No (?:NVENC )?capable devices found/,
    'The GPU has no encoder that does this.',
  ],
];

/** Why a GPU was of no use; undefined where nothing says so. */
export function gpuFailure(stderr: string): string | undefined {
  return GPU_FAILURES.find(([pattern]) => pattern.test(stderr))?.[1];
}
