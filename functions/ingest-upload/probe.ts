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
import type { SourceInfo } from '../../core/contracts/rows.ts';
import type { Read } from './blocks.ts';
import type { Finding } from './preflight.ts';

const FORMATS: InputFormat[] = [MP4, QTFF, MATROSKA, WEBM, WAVE, OGG, FLAC, MP3, ADTS, MPEG_TS];
/** Of these mediabunny lists every track, so an empty list means that there is none. */
const COMPLETE: readonly InputFormat[] = [MP4, QTFF, MATROSKA, WEBM];

/** What mediabunny makes of the file; null for a format that it does not know. Throws what `read` throws. */
export async function probe(read: Read, size: number): Promise<Finding | null> {
  const source = new CustomSource({
    getSize: () => size,
    read,
    // `read` has a cache of its own, and is to see every read: what is answered from here can loop without end.
    maxCacheSize: 0,
    handleUnhandledError: () => {},
  });
  const input = new Input({ formats: FORMATS, source });
  try {
    if (!(await input.canRead())) return null;
    return await describe(input);
  } finally {
    input.dispose();
  }
}

async function describe(input: Input): Promise<Finding> {
  const [video, audio] = await Promise.all([input.getPrimaryVideoTrack(), input.getPrimaryAudioTrack()]);
  if (!video && !audio) {
    if (!COMPLETE.includes(await input.getFormat())) return { verdict: 'accepted', info: {} };
    return { verdict: 'refused', code: 'no_tracks', message: 'The file has neither a video nor an audio track.' };
  }
  const info: SourceInfo = {};
  const duration = await input.getDurationFromMetadata();
  if (duration !== null && Number.isFinite(duration) && duration > 0) info.durationSeconds = duration;
  if (video) {
    info.width = await video.getDisplayWidth();
    info.height = await video.getDisplayHeight();
    const codec = await video.getCodec();
    // ffmpeg's names, which the worker's probe uses too.
    if (codec) info.videoCodec = codec === 'avc' ? 'h264' : codec;
  }
  const codec = audio && (await audio.getCodec());
  if (codec) info.audioCodec = codec;
  return { verdict: 'accepted', kind: video ? 'video' : 'audio', info };
}
