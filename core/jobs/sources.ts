import type { Source } from '../contracts/table/media.ts';

/**
 * How an upload that an event reports relates to the one that a media item has. `newest` is what S3 returns as present now: on a
 * versioned bucket its version id decides, whatever the order of the events; otherwise the sequencer decides.
 */
export function compareSources(known: Source, newest: Source): 'same' | 'older' | 'newer' {
  if (known.versionId !== undefined && known.versionId === newest.versionId) return 'same';
  const order = compareSequencers(newest.sequencer, known.sequencer);
  return order === 0 ? 'same' : order < 0 ? 'older' : 'newer';
}

/** The upload of a source: where a dense copy of the archive has replaced it, what lies, or lay, under the key that was uploaded to. */
export function uploadOf<S extends Pick<Source, 'etag' | 'archivedFrom'>>(source: S): Omit<S, 'archivedFrom'> {
  const { archivedFrom, ...own } = source;
  return { ...own, ...archivedFrom };
}

/** What is kept of a source: the copy, where it is the upload that the archive has replaced; otherwise itself. */
export function sourceKept(source: Source, media: { source: Source }): Source {
  const { archivedFrom, ...copy } = media.source;
  const isUpload = archivedFrom && source.versionId === archivedFrom.versionId && source.key === archivedFrom.key;
  const { archivedFrom: _, ...kept }: Source = isUpload ? copy : source;
  return kept;
}

/**
 * Compares sequencers as text, the shorter one padded with zeros on the right: AWS's user guide says so; an older edition said the left.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
 */
export function compareSequencers(a: string, b: string): number {
  const width = Math.max(a.length, b.length);
  const [left, right] = [a.padEnd(width, '0').toUpperCase(), b.padEnd(width, '0').toUpperCase()];
  return left === right ? 0 : left < right ? -1 : 1;
}

/** A sequencer for an upload that is newer for another reason than its event: after `sequencer`, and before S3's own later ones. */
export function sequencerAfter(sequencer: string): string {
  return `${sequencer}1`;
}

/** The later of an event's sequencer and the one after a known one: for an upload that is newer in S3 than the known one. */
export function sequencerOver(known: string, sequencer: string): string {
  return compareSequencers(sequencer, known) > 0 ? sequencer : sequencerAfter(known);
}
