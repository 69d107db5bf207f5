import type { AudioGroup, Rendition } from '../contracts/job.ts';

/** EXT-X-MAP in a media playlist asks for 6, RFC 8216 section 7; players of fMP4 know 7. */
export const HLS_VERSION = 7;

/**
 * The text of a master playlist. Renditions stand in the order given, best first; a player starts with the first.
 *
 * @param prefix Put before each URI: `v3/`, or nothing when the playlists lie beside it.
 */
export function masterPlaylist(result: { audio: AudioGroup[]; renditions: Rendition[] }, prefix: string): string {
  const lines = [
    '#EXTM3U',
    `#EXT-X-VERSION:${HLS_VERSION}`,
    '#EXT-X-INDEPENDENT-SEGMENTS',
    ...result.audio.map((group) => media(group, prefix)),
    ...result.renditions.flatMap((rendition) => [streamInf(rendition), `${prefix}${rendition.playlist}`]),
  ];
  return `${lines.join('\n')}\n`;
}

// Groups hold the same track at other bitrates, so the NAME is the same in each (RFC 8216, section 4.3.4.1.1).
function media(group: AudioGroup, prefix: string): string {
  const attributes = [
    'TYPE=AUDIO',
    `GROUP-ID="${group.id}"`,
    'NAME="Audio"',
    'DEFAULT=YES',
    'AUTOSELECT=YES',
    `CHANNELS="${group.channels}"`,
    `URI="${prefix}${group.playlist}"`,
  ];
  return `#EXT-X-MEDIA:${attributes.join(',')}`;
}

function streamInf(rendition: Rendition): string {
  const { width, height, frameRate, audio } = rendition;
  const attributes = [
    `BANDWIDTH=${rendition.bandwidth}`,
    `AVERAGE-BANDWIDTH=${rendition.averageBandwidth}`,
    `CODECS="${rendition.codecs}"`,
    ...(width !== undefined && height !== undefined ? [`RESOLUTION=${width}x${height}`] : []),
    ...(frameRate !== undefined ? [`FRAME-RATE=${frameRate.toFixed(3)}`] : []),
    ...(audio !== undefined ? [`AUDIO="${audio}"`] : []),
  ];
  return `#EXT-X-STREAM-INF:${attributes.join(',')}`;
}
