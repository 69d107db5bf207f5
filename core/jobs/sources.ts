import type { Source } from '../contracts/rows.ts';

/**
 * How an upload that an event tells of stands to the one that a media has. `newest` is what S3 says is there now: on a
 * versioned bucket its version id settles it, whatever order the events come in; the sequencer settles the rest.
 */
export function compareSources(known: Source, newest: Source): 'same' | 'older' | 'newer' {
  if (known.versionId !== undefined && known.versionId === newest.versionId) return 'same';
  const order = compareSequencers(newest.sequencer, known.sequencer);
  return order === 0 ? 'same' : order < 0 ? 'older' : 'newer';
}

/** As hexadecimal after left-padding with zeros. https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html */
export function compareSequencers(a: string, b: string): number {
  const width = Math.max(a.length, b.length);
  const [left, right] = [a.padStart(width, '0').toUpperCase(), b.padStart(width, '0').toUpperCase()];
  return left === right ? 0 : left < right ? -1 : 1;
}

/** For an event that sweep makes up: the next one after `sequencer`, so that S3's own later ones stay later. */
export function sequencerAfter(sequencer: string): string {
  const next = BigInt(/^[0-9a-f]+$/i.test(sequencer) ? `0x${sequencer}` : '0x0') + 1n;
  return next.toString(16).toUpperCase().padStart(sequencer.length, '0');
}
