import { isEncrypted } from '../../core/media/encrypted.ts';
import { encrypted } from '../../core/media/probe.ts';
import { walkBoxes, withFile } from './box-walk.ts';

/** The index of 24 h at 60 frames a second with audio has some 100 MB; a larger one is left to FFmpeg. */
const MAX_INDEX_BYTES = 128 * 1024 * 1024;

/** Throws `encrypted` for an MP4 or MOV with an encrypted track, because FFmpeg would decode noise and report a damaged picture. */
export async function refuseEncrypted(file: string): Promise<void> {
  const found = await withFile(file, async (handle) => {
    for await (const box of walkBoxes(handle)) {
      if (box.type === 'moov') return box.size <= MAX_INDEX_BYTES && isEncrypted(await box.body());
    }
    return false;
  });
  if (found) throw encrypted();
}
