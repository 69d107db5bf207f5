import {
  ADTS,
  CustomSource,
  FLAC,
  Input,
  type InputFormat,
  MATROSKA,
  MP3,
  MP4,
  MPEG_TS,
  OGG,
  QTFF,
  WAVE,
  WEBM,
} from 'mediabunny';
import type { SourceInfo } from '../../core/contracts/table/media.ts';
import { LIMITS } from '../../core/media/limits.ts';
import type { Read } from './blocks.ts';
import { type Finding, refused } from './finding.ts';

const FORMATS: InputFormat[] = [MP4, QTFF, MATROSKA, WEBM, WAVE, OGG, FLAC, MP3, ADTS, MPEG_TS];
/** For these formats mediabunny lists every track, so an empty list means that there is none. */
const COMPLETE: readonly InputFormat[] = [MP4, QTFF, MATROSKA, WEBM];

/** What mediabunny finds in the file; null for a format that it does not know. Throws what `read` throws. */
export async function probe(read: Read, size: number): Promise<Finding | null> {
  const source = new CustomSource({
    getSize: () => size,
    read,
    // `read` has its own cache and must receive every read: reads answered from mediabunny's cache can loop without end.
    maxCacheSize: 0,
    handleUnhandledError: () => {},
  });
  const input = new Input({ formats: FORMATS, source });
  try {
    if (!(await input.canRead())) return null;
    const found = await describe(input);
    // mediabunny leaves out tracks that it cannot unpack or decrypt.
    if ('refused' in found && (await hasEncodings(read, size))) return null;
    return found;
  } finally {
    input.dispose();
  }
}

/** ContentEncodings of Matroska (RFC 9559, 5.1.4.1.31): a track is packed or encrypted. */
const CONTENT_ENCODINGS = [0x6d, 0x80] as const;
/** Bytes at the beginning of the file that include the track list. */
const HEAD_BYTES = 32 * 1024;

async function hasEncodings(read: Read, size: number): Promise<boolean> {
  const head = await read(0, Math.min(HEAD_BYTES, size));
  return head.some((byte, i) => byte === CONTENT_ENCODINGS[0] && head[i + 1] === CONTENT_ENCODINGS[1]);
}

async function describe(input: Input): Promise<Finding> {
  const [video, audio] = await Promise.all([input.getPrimaryVideoTrack(), input.getPrimaryAudioTrack()]);
  if (!video && !audio) {
    if (!COMPLETE.includes(await input.getFormat())) return { info: {} };
    return refused('no_tracks', 'The file has neither a video nor an audio track.');
  }
  const info: SourceInfo = {};
  const duration = await input.getDurationFromMetadata();
  // A recorder that does not know it leaves the largest number there, days or years: the worker measures.
  if (duration !== null && duration > 0 && duration <= LIMITS.durationSeconds) info.durationSeconds = duration;
  if (video) {
    info.width = await video.getDisplayWidth();
    info.height = await video.getDisplayHeight();
    const codec = await video.getCodec();
    // ffmpeg's names, which the worker's probe uses too.
    if (codec) info.videoCodec = codec === 'avc' ? 'h264' : codec;
  }
  const codec = audio && (await audio.getCodec());
  if (codec) info.audioCodec = codec;
  return { kind: video ? 'video' : 'audio', info };
}
