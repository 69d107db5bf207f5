import type { MediaView } from '../core/contracts/http/media.ts';
import type { SourceTrack } from '../core/contracts/table/media.ts';
import type { Warning } from '../core/contracts/warnings.ts';
import { originalText } from './archive/over-api.ts';
import { fields } from './table.ts';
import { bytes, duration } from './units.ts';

export function describeMedia(media: MediaView): string {
  const { source, version, previous, playback, error, archive, restoring, job } = media;
  return fields([
    ['id', media.id],
    ['title', media.title],
    [
      'state',
      media.state === 'transcoding' && media.playable ? 'transcoding, its beginning can be played' : media.state,
    ],
    ['error', error && `${error.code}: ${error.message}`],
    ['archive', archive && originalText(archive)],
    ['restoring', restoring && `from ${restoring.from}, ${restoring.tier}, by ${restoring.expectedAt}`],
    ['attempts', media.attempts > 0 ? `${media.attempts} of ${media.maxAttempts}` : undefined],
    ['creator', media.creatorId],
    ['collection', media.collectionId],
    ['file', `${source.fileName}, ${bytes(source.size)}`],
    ['source', sourceLine(source)],
    ...(source.tracks ?? []).map((track) => ['track', trackLine(track)] as const),
    ['tracks', source.moreTracks === undefined ? undefined : `${source.moreTracks} more`],
    ['job', job && `${job.id} ${job.state} ${Math.floor(job.progress)} %`],
    ['version', version && `${version.n}, ${version.preset.name} ${version.preset.version}, ${bytes(version.bytes)}`],
    ['previous', previous && `${previous.n}, until ${previous.expiresAt}`],
    ['flagged', media.scheduleRetranscode ? 'yes' : undefined],
    ['renditions', version?.renditions.map(({ name }) => name).join(' ')],
    ...(version?.warnings ?? []).map((each) => ['warning', warningLine(each)] as const),
    ['access', media.access],
    ...Object.entries(playback ?? {}).map(([name, url]) => [name, url] as const),
    ['created', media.createdAt],
  ]);
}

/** `from 4.2 s: what is lost (its_code)` */
export function warningLine({ code, at, message }: Warning): string {
  return `${at === undefined ? '' : `from ${at.toFixed(1)} s: `}${message} (${code})`;
}

/** `1 audio aac 2 ch 48000 Hz de` */
function trackLine(track: SourceTrack): string {
  const { index, type, codec, width, height, channels, sampleRate, language, taken, why } = track;
  const parts = [
    `${index} ${type}`,
    codec,
    width && height && `${width}×${height}`,
    channels && `${channels} ch`,
    sampleRate && `${sampleRate} Hz`,
    language,
    !taken && `not taken: ${why ?? 'unknown'}`,
  ];
  return parts.filter(Boolean).join(' ');
}

function sourceLine(source: MediaView['source']): string | undefined {
  const size = source.width && source.height ? `${source.width}×${source.height}` : '';
  const parts = [
    source.container ?? '',
    duration(source.durationSeconds),
    size,
    source.videoCodec ?? '',
    source.audioCodec ?? '',
  ];
  const text = parts.filter(Boolean).join(' ');
  return text || undefined;
}
