import type { AudioGroup, Rendition } from '../contracts/job.ts';

/** EXT-X-MAP in a media playlist requires version 6, RFC 8216 section 7; players of fMP4 support 7. */
export const HLS_VERSION = 7;

interface Presentation {
  audio: AudioGroup[];
  renditions: Rendition[];
  captions?: boolean | undefined;
  captionChannels?: readonly string[] | undefined;
}

/** GROUP-ID of the captions in the picture. */
const CAPTIONS = 'cc';

/** Average bits per second of the variant that a player starts with: Apple's HLS authoring specification, 1.32. */
const START_BANDWIDTH = 2_000_000;

/**
 * The text of a master playlist. The variant nearest to 2 Mbit/s on average stands first, because players start with the first; the others
 * follow in the order given. Beside pictures, the smallest audio group is a variant of its own, for connections that carry nothing else.
 * @param prefix Put before each URI: `v3/`, or nothing when the playlists lie beside it.
 * @param options `audioOnly`: whether there is a variant without pictures; a preview has none
 */
export function masterPlaylist(result: Presentation, prefix: string, { audioOnly = true } = {}): string {
  const lines = [
    '#EXTM3U',
    `#EXT-X-VERSION:${HLS_VERSION}`,
    '#EXT-X-INDEPENDENT-SEGMENTS',
    ...result.audio.map((group) => media(group, prefix)),
    ...channelsOf(result).map(
      (id) => `#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="${CAPTIONS}",NAME="${id}",INSTREAM-ID="${id}"`,
    ),
    ...startFirst(result.renditions).flatMap((rendition) => [
      streamInf(rendition, result.captions),
      `${prefix}${rendition.playlist}`,
    ]),
    ...(audioOnly ? soundAlone(result, prefix) : []),
    ...result.renditions.flatMap((rendition) => keyframesInf(rendition, prefix)),
  ];
  return `${lines.join('\n')}\n`;
}

/** INSTREAM-ID of each of the captions in the picture. */
export function channelsOf({ captions, captionChannels }: Pick<Presentation, 'captions' | 'captionChannels'>) {
  return captions ? (captionChannels ?? ['CC1']) : [];
}

/** For scrubbing: RFC 8216, section 4.3.4.3. Sound, captions and a frame rate are not attributes of it. */
function keyframesInf({ keyframes, width, height }: Rendition, prefix: string): string[] {
  if (keyframes === undefined) return [];
  const { bandwidth, averageBandwidth, codecs, playlist } = keyframes;
  const rates = `BANDWIDTH=${bandwidth},AVERAGE-BANDWIDTH=${averageBandwidth}`;
  const picture = `CODECS="${codecs}",RESOLUTION=${width}x${height},VIDEO-RANGE=SDR`;
  return [`#EXT-X-I-FRAME-STREAM-INF:${rates},${picture},URI="${prefix}${playlist}"`];
}

function startFirst(renditions: readonly Rendition[]): Rendition[] {
  const distance = ({ averageBandwidth }: Rendition) => Math.abs(Math.log(averageBandwidth / START_BANDWIDTH));
  const [start] = [...renditions].sort((a, b) => distance(a) - distance(b));
  return start ? [start, ...renditions.filter((rendition) => rendition !== start)] : [];
}

function soundAlone({ audio, captions }: Presentation, prefix: string): string[] {
  const [smallest] = [...audio].sort((a, b) => a.bandwidth - b.bandwidth);
  if (!smallest) return [];
  const { bandwidth, averageBandwidth, codecs, id, playlist } = smallest;
  const rates = `BANDWIDTH=${bandwidth},AVERAGE-BANDWIDTH=${averageBandwidth}`;
  // Where one variant says NONE, all must (RFC 8216, section 4.3.4.2).
  const none = captions === false ? ',CLOSED-CAPTIONS=NONE' : '';
  return [`#EXT-X-STREAM-INF:${rates},CODECS="${codecs}",AUDIO="${id}"${none}`, `${prefix}${playlist}`];
}

// Groups hold the same track at other bitrates, so the NAME is the same in each (RFC 8216, section 4.3.4.1.1).
function media(group: AudioGroup, prefix: string): string {
  const attributes = [
    'TYPE=AUDIO',
    `GROUP-ID="${group.id}"`,
    `NAME="${nameOf(group.language)}"`,
    ...(group.language ? [`LANGUAGE="${group.language}"`] : []),
    'DEFAULT=YES',
    'AUTOSELECT=YES',
    `CHANNELS="${group.channels}"`,
    `URI="${prefix}${group.playlist}"`,
  ];
  return `#EXT-X-MEDIA:${attributes.join(',')}`;
}

/** `German` for `de`. */
function nameOf(language: string | undefined): string {
  if (language === undefined) return 'Audio';
  return new Intl.DisplayNames(['en'], { type: 'language', fallback: 'none' }).of(language) ?? 'Audio';
}

function streamInf(rendition: Rendition, captions?: boolean): string {
  const { width, height, audio } = rendition;
  const frameRate = rendition.maxFrameRate ?? rendition.frameRate;
  const hasPicture = width !== undefined && height !== undefined;
  const attributes = [
    `BANDWIDTH=${rendition.bandwidth}`,
    `AVERAGE-BANDWIDTH=${rendition.averageBandwidth}`,
    `CODECS="${rendition.codecs}"`,
    ...(hasPicture ? [`RESOLUTION=${width}x${height}`] : []),
    ...(frameRate !== undefined ? [`FRAME-RATE=${frameRate.toFixed(3)}`] : []),
    ...(hasPicture ? ['VIDEO-RANGE=SDR'] : []),
    ...(audio !== undefined ? [`AUDIO="${audio}"`] : []),
    ...(hasPicture && captions !== undefined ? [`CLOSED-CAPTIONS=${captions ? `"${CAPTIONS}"` : 'NONE'}`] : []),
  ];
  return `#EXT-X-STREAM-INF:${attributes.join(',')}`;
}
