import type { S3Client } from '@aws-sdk/client-s3';
import type { ObjectId } from '../../../aws/object-id.ts';
import { readRange } from '../../../aws/s3.ts';
import { unreadable } from '../../../aws/unreadable.ts';
import { BOX_HEADER_BYTES, readBoxHeader } from '../../../core/media/boxes.ts';

/** A copy has about six: what FFmpeg writes with its index at the front. */
const MOST_BOXES = 32;

/**
 * Why a file of S3 is no MP4 that can be read to its end: by GETs of the headers of its boxes alone. HEAD tells of the bytes that S3 has, and not
 * whether anybody may read them. Null where nothing is wrong.
 */
export async function faultOfBoxes(client: S3Client, object: ObjectId, size: number): Promise<string | null> {
  let at = 0;
  let hasIndex = false;
  try {
    for (let boxes = 0; at < size; boxes++) {
      const header = await readRange(client, object, at, Math.min(at + BOX_HEADER_BYTES, size));
      const box = readBoxHeader(header, size - at);
      if (boxes === MOST_BOXES || box === null || box.size < box.header) return 'the copy is not an MP4';
      hasIndex ||= box.type === 'moov';
      at += box.size;
    }
  } catch (error) {
    const why = unreadable(error);
    if (why === null) throw error;
    return `the copy cannot be read: ${why}`;
  }
  return at === size && hasIndex ? null : 'the copy does not end where its boxes do, or has no index';
}
