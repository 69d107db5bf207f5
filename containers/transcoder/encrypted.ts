import { isEncrypted, isEncryptedAsf, isScrambled } from '../../core/media/encrypted.ts';
import { encrypted } from '../../core/media/probe.ts';
import { type Bytes, walkBoxes } from './box-walk.ts';

/** The index of 24 h at 60 frames a second with audio has some 100 MB; a larger one is left to FFmpeg. */
const MAX_INDEX_BYTES = 128 * 1024 * 1024;
/** The header of an ASF file, and some thousand packets of a transport stream. */
const HEAD_BYTES = 1024 * 1024;

/**
 * Throws `encrypted` for an ASF, WMA or transport stream that says that its media is: FFmpeg would report a damaged file, or noise. Of
 * Matroska, FFmpeg says it itself.
 */
export async function refuseEncrypted(bytes: Bytes): Promise<void> {
  const head = await bytes.read(0, HEAD_BYTES);
  if (isEncryptedAsf(head) || isScrambled(head)) throw encrypted();
}

/** Throws `encrypted` for an MP4 or MOV with an encrypted track. */
export async function refuseEncryptedBoxes(bytes: Bytes): Promise<void> {
  for await (const box of walkBoxes(bytes)) {
    if (box.type !== 'moov') continue;
    if (box.size <= MAX_INDEX_BYTES && isEncrypted(await box.body())) throw encrypted();
    return;
  }
}
