import { isEncrypted, isEncryptedAsf, isScrambled } from '../../core/media/encrypted.ts';
import { encrypted } from '../../core/media/probe.ts';
import { walkBoxes, withFile } from './box-walk.ts';

/** The index of 24 h at 60 frames a second with audio has some 100 MB; a larger one is left to FFmpeg. */
const MAX_INDEX_BYTES = 128 * 1024 * 1024;
/** The header of an ASF file, and some thousand packets of a transport stream. */
const HEAD_BYTES = 1024 * 1024;

/**
 * Throws `encrypted` for an ASF, WMA or transport stream that says that its media is: FFmpeg would report a damaged file, or noise. Of
 * Matroska, FFmpeg says it itself.
 */
export async function refuseEncrypted(file: string): Promise<void> {
  const head = await withFile(file, async (handle) => {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  });
  if (isEncryptedAsf(head) || isScrambled(head)) throw encrypted();
}

/** Throws `encrypted` for an MP4 or MOV with an encrypted track. */
export async function refuseEncryptedBoxes(file: string): Promise<void> {
  if (await inBoxes(file)) throw encrypted();
}

function inBoxes(file: string): Promise<boolean> {
  return withFile(file, async (handle) => {
    for await (const box of walkBoxes(handle)) {
      if (box.type === 'moov') return box.size <= MAX_INDEX_BYTES && isEncrypted(await box.body());
    }
    return false;
  });
}
