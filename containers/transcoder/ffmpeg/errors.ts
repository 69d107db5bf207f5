import { DropreelError } from '../../../core/jobs/errors.ts';
import { limitPixels } from '../../../core/media/probe.ts';

/** Kept of stderr for the log, in characters. */
const DETAIL = 4000;

export function cut(stderr: string): string {
  return stderr.length <= DETAIL ? stderr : `…${stderr.slice(-DETAIL)}`;
}

const PLAYLISTS = /\[(?:hls|dash|concat|concatf|ffmetadata|sdp|rtsp|applehttp|imf|webm_dash_manifest|rpl) @/;
const PICTURES = /\[(?:\w+_pipe|image2|gif|apng|ico|tiff|webp\w*) @/;
const TEXTS =
  /\[(?:srt|ass|webvtt|ttml|sami|subviewer\w*|microdvd|mpl2|vplayer|realtext|jacosub|pjs|stl|scc|lrc|aqtitle|vobsub|sup) @/;

/** Why ffprobe could not open a file. */
export function probeFailure(stderr: string): DropreelError {
  const detail = cut(stderr);
  const size = /Picture size (\d+)x(\d+)/.exec(stderr);
  if (size) return limitPixels(Number(size[1]), Number(size[2]));
  if (stderr.includes('not on whitelist')) return refusedFormat(stderr, detail);
  if (/moov atom not found|error reading header|EBML header parsing failed/.test(stderr)) {
    return new DropreelError('corrupt', 'The file is damaged or incomplete: its index cannot be read.', { detail });
  }
  return new DropreelError('not_media', 'The file is not audio or video in any form that FFmpeg knows.', { detail });
}

function refusedFormat(stderr: string, detail: string): DropreelError {
  const line = stderr.split('\n').find((text) => text.includes('not on whitelist')) ?? '';
  if (PLAYLISTS.test(line)) {
    const message = 'The file is a playlist or manifest: it names other files instead of holding media.';
    return new DropreelError('playlist_refused', message, { detail });
  }
  if (PICTURES.test(line)) {
    return new DropreelError('still_image', 'The file is a picture, not a video or sound.', { detail });
  }
  if (TEXTS.test(line)) {
    return new DropreelError('no_tracks', 'The file holds subtitles only, no video and no sound.', { detail });
  }
  return new DropreelError('not_media', 'The file is not audio or video.', { detail });
}

/** FFmpeg ends with exit code 0 when the last bytes of a file, or those of one file of a tee, could not be written. */
export function saysDiskFull(stderr: string): boolean {
  return stderr.includes('No space left on device');
}

/** Why an encode ended with an error. */
export function encodeFailure(
  stderr: string,
  exit: { code: number | undefined; signal: string | undefined },
): DropreelError {
  const detail = cut(stderr);
  if (saysDiskFull(stderr)) {
    return new DropreelError('disk_full', 'The scratch disk became full while encoding.', { detail });
  }
  if (exit.signal === 'SIGKILL' || /Cannot allocate memory/.test(stderr)) {
    return new DropreelError('out_of_memory', 'FFmpeg was killed or refused for lack of memory.', { detail });
  }
  const decoder = /Decoder \(codec ([\w.]+)\) not found|Decoding requested, but no decoder found for: (\S+)/.exec(
    stderr,
  );
  if (decoder) {
    const codec = decoder[1] ?? decoder[2];
    return new DropreelError('unsupported_codec', `No decoder here reads the codec ${codec}.`, { detail });
  }
  const how = exit.signal ? `by ${exit.signal}` : `with exit code ${exit.code}`;
  const last = stderr.trim().split('\n').at(-1) ?? '';
  return new DropreelError('encode_failed', `FFmpeg ended ${how}: ${last.slice(0, 200)}`, { detail });
}
