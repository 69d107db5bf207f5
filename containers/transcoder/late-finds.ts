import type { Combed } from '../../core/media/interlace.ts';
import type { VideoTrack } from '../../core/media/probe.ts';
import type { Input } from './input/input.ts';

export interface Doubts {
  input: Input;
  /** What is found is written here. */
  video: VideoTrack | undefined;
  /** Looks for pictures of two moments; absent: that has been done. */
  look?: ((signal: AbortSignal) => Promise<Combed>) | undefined;
  signal: AbortSignal;
}

/** @param onDecoded To be awaited when all is decoded, before what was made of it counts. */
type Encode<T> = (signal: AbortSignal, onDecoded: () => Promise<void>) => Promise<T>;

/**
 * Encodes while the rest is found out of a video that would keep the first picture waiting: pictures of two moments in a long film, and
 * captions in a source that is read in place. A find that the plan did not have ends the encode, and it is begun anew: few films have one,
 * and it comes within seconds, or with the first captions.
 */
export async function encodeMeanwhile<T>({ input, video, look, signal }: Doubts, encode: Encode<T>): Promise<T> {
  const over = new AbortController();
  const looking = look?.(AbortSignal.any([signal, over.signal]));
  try {
    for (;;) {
      const combs = new AbortController();
      const looked = looking?.then((found) => {
        if (!video || found.length === 0 || video.combed === found) return;
        video.combed = found;
        combs.abort();
      });
      // An encode that fails, or that an earlier attempt has made, does not ask for it.
      looked?.catch(() => undefined);
      const captions = video && !video.captions ? input.lateCaptions(video.codec) : undefined;
      const round = AbortSignal.any([signal, combs.signal, ...(captions ? [captions] : [])]);
      const onDecoded = async () => {
        await looked;
        round.throwIfAborted();
      };
      try {
        return await encode(round, onDecoded);
      } catch (error) {
        if (!round.aborted || signal.aborted) throw error;
        await looked;
        if (video && captions?.aborted) video.captions = true;
      }
    }
  } finally {
    over.abort(new Error('The encode has ended.'));
    await looking?.catch(() => undefined);
  }
}
