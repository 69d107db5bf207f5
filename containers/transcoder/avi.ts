import type { Bytes } from './box-walk.ts';

/** Bytes in which an AVI's headers are looked for: those of a few streams, without their indexes. */
const HEAD_BYTES = 64 * 1024;
/** In a stream's header (AVISTREAMHEADER, vfw.h): its type, and dwSampleSize, bytes of a sample where all have as many. */
const [AUDIO, SAMPLE_SIZE] = [Buffer.from('auds'), 44];

/**
 * Whether an AVI counts the time of its MP3 by bytes, though the rate of these may vary: Nandub and VirtualDub wrote such files. FFmpeg's
 * times are as wrong as the rate is then. An AVI has no times of its own, and no gaps.
 * @param number which of its audio tracks, from 0
 */
export async function countsBytes(file: Bytes, number: number): Promise<boolean> {
  const head = await file.read(0, HEAD_BYTES);
  let at = -1;
  for (let i = 0; i <= number; i++) {
    at = head.indexOf(AUDIO, at + 1);
    if (at < 0) return false;
  }
  return at + SAMPLE_SIZE + 4 <= head.length && head.readUInt32LE(at + SAMPLE_SIZE) > 0;
}
