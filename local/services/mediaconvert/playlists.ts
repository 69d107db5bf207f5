import { open } from 'node:fs/promises';
import type { PlannedOutput } from './encode.ts';
import type { OutputGroup } from './schema.ts';

/** Playlists of a CMAF group with one file for each rendition, in the form of those that MediaConvert writes. */

interface Range {
  offset: number;
  bytes: number;
}

/** The head of a fragmented MP4, and its fragments: a moof with what follows it. */
async function fragmentsOf(file: string): Promise<{ head: Range; fragments: Range[] }> {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    const fragments: Range[] = [];
    let head = 0;
    for (let at = 0; at + 8 <= size; ) {
      const { buffer } = await handle.read(Buffer.alloc(16), 0, 16, at);
      const short = buffer.readUInt32BE(0);
      const bytes = short === 1 ? Number(buffer.readBigUInt64BE(8)) : short === 0 ? size - at : short;
      const type = buffer.toString('latin1', 4, 8);
      const last = fragments.at(-1);
      if (type === 'moof') fragments.push({ offset: at, bytes });
      // The index at the end belongs to no segment.
      else if (last && type !== 'mfra') last.bytes += bytes;
      else if (!last) head = at + bytes;
      at += bytes;
    }
    return { head: { offset: 0, bytes: head }, fragments };
  } finally {
    await handle.close();
  }
}

/** A finished file of the group, with its seconds. */
export interface Finished {
  planned: PlannedOutput;
  path: string;
  seconds: number;
}

export async function mediaPlaylist({ planned, path, seconds }: Finished, group: OutputGroup): Promise<string> {
  const {
    segmentLength = 10,
    fragmentLength = 2,
    manifestDurationFormat,
  } = group.outputGroupSettings.cmafGroupSettings ?? {};
  const { head, fragments } = await fragmentsOf(path);
  const each = fragmentSeconds(planned, fragmentLength);
  // Up to the next group of pictures, as GOP_MULTIPLE does.
  const perSegment = Math.max(1, Math.ceil(segmentLength / each - 1e-6));
  const name = nameOf(planned.media);
  const lines: string[] = [];
  let target = 1;
  for (let i = 0; i < fragments.length; i += perSegment) {
    const parts = fragments.slice(i, i + perSegment);
    const isLast = i + perSegment >= fragments.length;
    const length = isLast ? Math.max(0, seconds - i * each) : perSegment * each;
    const shown = manifestDurationFormat === 'FLOATING_POINT' ? length.toFixed(6) : String(Math.round(length));
    const bytes = parts.reduce((total, part) => total + part.bytes, 0);
    lines.push(`#EXTINF:${shown},`, `#EXT-X-BYTERANGE:${bytes}@${parts[0]?.offset}`, name);
    target = Math.max(target, Math.round(length));
  }
  return [
    ...['#EXTM3U', '#EXT-X-VERSION:6', `#EXT-X-TARGETDURATION:${target}`, '#EXT-X-MEDIA-SEQUENCE:1'],
    ...['#EXT-X-PLAYLIST-TYPE:VOD', `#EXT-X-MAP:URI="${name}",BYTERANGE="${head.bytes}@0"`],
    ...[...lines, '#EXT-X-ENDLIST', ''],
  ].join('\n');
}

function fragmentSeconds({ output, picture }: PlannedOutput, fragmentLength: number): number {
  const h264 = output.videoDescription?.codecSettings.h264Settings;
  if (!picture || !h264) return fragmentLength;
  return h264.gopSizeUnits === 'SECONDS' ? h264.gopSize : (h264.gopSize * picture.rate.den) / picture.rate.num;
}

/** The renditions first, then their sound, as MediaConvert has them. */
export function mainPlaylist(finished: readonly (Finished & { bytes: number })[]): string {
  const bandwidth = ({ bytes, seconds }: { bytes: number; seconds: number }) =>
    Math.ceil((bytes * 8) / Math.max(seconds, 0.1));
  const videos = finished.flatMap(({ planned, ...rest }) => {
    if (!planned.picture) return [];
    const { width, height, rate } = planned.picture;
    const sets = planned.output.containerSettings.cmfcSettings?.audioRenditionSets;
    const attributes = [
      ...[`BANDWIDTH=${bandwidth(rest)}`, `AVERAGE-BANDWIDTH=${bandwidth(rest)}`, 'VIDEO-RANGE=SDR'],
      ...[`RESOLUTION=${width}x${height}`, `FRAME-RATE=${(rate.num / rate.den).toFixed(3)}`],
      ...(sets ? [`AUDIO="${sets.split(',')[0]}"`] : []),
    ];
    return [`#EXT-X-STREAM-INF:${attributes.join(',')}`, nameOf(planned.playlist ?? '')];
  });
  const sounds = finished.flatMap(({ planned }) => {
    const { audioGroupId, audioTrackType } = planned.output.containerSettings.cmfcSettings ?? {};
    if (planned.output.audioDescriptions.length === 0) return [];
    const yes = (isTrue: boolean) => (isTrue ? 'YES' : 'NO');
    const attributes = [
      ...['TYPE=AUDIO', `GROUP-ID="${audioGroupId ?? 'program_audio_0'}"`, 'NAME="Alternate Audio"'],
      `DEFAULT=${yes(audioTrackType === 'ALTERNATE_AUDIO_AUTO_SELECT_DEFAULT')}`,
      `AUTOSELECT=${yes(audioTrackType !== 'ALTERNATE_AUDIO_NOT_AUTO_SELECT')}`,
      `URI="${nameOf(planned.playlist ?? '')}"`,
    ];
    return [`#EXT-X-MEDIA:${attributes.join(',')}`];
  });
  return ['#EXTM3U', '#EXT-X-VERSION:6', '#EXT-X-INDEPENDENT-SEGMENTS', ...videos, ...sounds, ''].join('\n');
}

const nameOf = (uri: string) => uri.slice(uri.lastIndexOf('/') + 1);
