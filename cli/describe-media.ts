import type { MediaView } from '../core/contracts/http/media.ts';
import { fields } from './table.ts';
import { bytes, duration } from './units.ts';

export function describeMedia(media: MediaView): string {
  const { source, version, previous, playback, error, job } = media;
  return fields([
    ['id', media.id],
    ['title', media.title],
    ['state', media.state],
    ['error', error && `${error.code}: ${error.message}`],
    ['attempts', media.attempts > 0 ? `${media.attempts} of ${media.maxAttempts}` : undefined],
    ['creator', media.creatorId],
    ['collection', media.collectionId],
    ['file', `${source.fileName}, ${bytes(source.size)}`],
    ['source', sourceLine(source)],
    ['job', job && `${job.id} ${job.state} ${Math.floor(job.progress)} %`],
    ['version', version && `${version.n}, ${version.preset.name} ${version.preset.version}, ${bytes(version.bytes)}`],
    ['previous', previous && `${previous.n}, until ${previous.expiresAt}`],
    ['flagged', media.scheduleRetranscode ? 'yes' : undefined],
    ['renditions', version?.renditions.map(({ name }) => name).join(' ')],
    ['access', media.access],
    ...Object.entries(playback ?? {}).map(([name, url]) => [name, url] as const),
    ['created', media.createdAt],
  ]);
}

function sourceLine(source: MediaView['source']): string | undefined {
  const size = source.width && source.height ? `${source.width}×${source.height}` : '';
  const parts = [duration(source.durationSeconds), size, source.videoCodec ?? '', source.audioCodec ?? ''];
  const text = parts.filter(Boolean).join(' ');
  return text || undefined;
}
