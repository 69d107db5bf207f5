import { bodies } from '../../../core/media/boxes.ts';
import { indexedKind } from '../../../core/media/in-place.ts';
import { type Bytes, walkBoxes } from '../box-walk.ts';

/** Bytes in which the head of a Matroska file is looked at. */
const HEAD_BYTES = 65_536;
/** Boxes at the top of an MP4 that is not in fragments. */
const MOST_BOXES = 64;
/** An index of this size is that of 24 h; a larger one is read from the disk. */
const MAX_INDEX_BYTES = 128 * 1024 * 1024;

/** SeekID of Cues, in a SeekHead (RFC 9559, 5.1.1.1.1 and 5.1.5). */
const CUES = Buffer.from('53ab841c53bb6b', 'hex');

/**
 * Why a source is downloaded before it is encoded; undefined for one that is read where it lies. MP4 and Matroska with an index are read in
 * order, but for the index. What has none is read from end to end before its first picture can be encoded, to learn how long it is:
 * docs/encoding.md has the numbers.
 */
export async function whyDownload(bytes: Bytes): Promise<string | undefined> {
  const head = await bytes.read(0, HEAD_BYTES);
  const kind = indexedKind(head);
  if (kind === undefined) return 'It is neither MP4, MOV nor Matroska.';
  if (kind === 'matroska') return head.includes(CUES) ? undefined : 'It is Matroska without an index.';
  let boxes = 0;
  for await (const box of walkBoxes(bytes)) {
    if (box.type === 'moof' || ++boxes > MOST_BOXES) return 'It is an MP4 in fragments.';
    if (box.type !== 'moov') continue;
    if (box.size > MAX_INDEX_BYTES) return 'Its index is very large.';
    return bodies(await box.body(), 'mvex').length > 0 ? 'It is an MP4 in fragments.' : undefined;
  }
  return 'It is an MP4 without an index.';
}
