import { MediaView } from '../core/contracts/api.ts';
import type { ApiClient } from './client.ts';

const POLL_MS = 1000;
const UNDER_WAY = ['uploading', 'uploaded', 'transcoding', 'retranscoding', 'deleting'];

/** Asks until nothing is under way with a media. @throws the signal's reason */
export async function untilDone(
  api: ApiClient,
  id: string,
  signal: AbortSignal,
  onChange: (media: MediaView) => void,
): Promise<MediaView> {
  let shown = '';
  for (;;) {
    signal.throwIfAborted();
    const media = await api.call('GET', `/media/${id}`, MediaView);
    const key = `${media.state} ${media.job?.state} ${media.job?.progress}`;
    if (key !== shown) onChange(media);
    shown = key;
    if (!UNDER_WAY.includes(media.state)) return media;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
