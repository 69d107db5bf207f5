import { DropreelError } from '../contracts/errors.ts';

/** Which tracks of a file can be taken. */

/** What is known of a track of picture or sound, as ffprobe reports it. */
export interface Candidate {
  index: number;
  codec_type?: string | undefined;
  codec_name?: string | undefined;
  codec_tag_string?: string | undefined;
  width?: number | undefined;
  height?: number | undefined;
  sample_rate?: number | undefined;
  disposition: Readonly<Record<string, number>>;
}

/** What the choice depends on beside the file's description. */
export interface Known {
  /** Whether FFmpeg has a decoder for the codec of that name. */
  isDecodable: (codec: string) => boolean;
  /** Indexes of tracks of which the file was found to hold nothing. */
  empty?: ReadonlySet<number>;
}

const EMPTY = 'It is empty.';
const FIRST_SECONDS = 'nothing of it could be read in the first 90 s or 64 MiB';

/**
 * @param name FFmpeg's name; absent, `none` or `unknown` for a codec that it does not know.
 * @param tag What the container calls the codec.
 */
export function unsupportedCodec(name: string | undefined, tag = ''): DropreelError {
  const isKnown = name !== undefined && name !== 'none' && name !== 'unknown';
  const codec = isKnown ? name : /^[\w-]{4}$/.test(tag) ? tag : undefined;
  const what = codec === undefined ? 'a codec that FFmpeg does not support' : `the codec ${codec}`;
  return new DropreelError('unsupported_codec', `No decoder here reads ${what}.`);
}

/** Why a track cannot be taken, in a sentence; undefined for one that can. */
export function whyNotTaken(track: Candidate, { isDecodable, empty }: Known): string | undefined {
  if (empty?.has(track.index)) return EMPTY;
  if (!hasDecoder(track, isDecodable)) return unsupportedCodec(track.codec_name, track.codec_tag_string).message;
  if (isMeasured(track)) return undefined;
  const what = track.codec_type === 'audio' ? 'its sample rate' : 'the size of its pictures';
  return `It does not state ${what}, and ${FIRST_SECONDS}.`;
}

/** Whether FFmpeg decodes what a track holds. */
export function hasDecoder({ codec_name }: Candidate, isDecodable: Known['isDecodable']): boolean {
  return codec_name !== undefined && isDecodable(codec_name);
}

function isMeasured({ codec_type, width, height, sample_rate }: Candidate): boolean {
  return codec_type === 'audio' ? Boolean(sample_rate) : Boolean(width && height);
}

/** Why there is nothing to take of a file, none of whose tracks of picture and sound can be. */
export function nothingToTake(tracks: readonly Candidate[], known: Known): DropreelError {
  const [first] = tracks.filter(({ index }) => !known.empty?.has(index));
  if (tracks.length === 0) return new DropreelError('no_tracks', 'The file has no video or audio.');
  if (!first) return new DropreelError('corrupt', 'The file announces tracks, but holds nothing of them.');
  if (!hasDecoder(first, known.isDecodable)) return unsupportedCodec(first.codec_name, first.codec_tag_string);
  const what = first.codec_type === 'audio' ? 'audio' : 'video';
  const message = `The ${what} track cannot be read. ${whyNotTaken(first, known) ?? ''}`;
  return new DropreelError('corrupt', message);
}

/** The track that is marked as default, else the first. */
export function defaultOf<Track extends Candidate>(tracks: readonly Track[]): Track | undefined {
  return tracks.find(({ disposition }) => disposition.default === 1) ?? tracks[0];
}
