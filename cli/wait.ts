import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '../client/client.ts';
import type { MediaView } from '../core/contracts/http/media.ts';
import { CliError, EXIT } from './exit.ts';

const POLL_MS = 1000;
const UNDER_WAY: readonly MediaView['state'][] = ['uploading', 'uploaded', 'transcoding', 'retranscoding', 'deleting'];

/** Whether work on a media item is in progress, or will be: a flagged one is encoded again within minutes. */
export function isUnderWay({ state, scheduleRetranscode }: MediaView): boolean {
  return UNDER_WAY.includes(state) || scheduleRetranscode;
}

/**
 * Polls until no work on a media item is in progress.
 * @throws the signal's reason, or CliError when a cap holds the encode back
 */
export async function untilDone(
  api: Client,
  id: string,
  signal: AbortSignal,
  onChange: (media: MediaView) => void,
): Promise<MediaView> {
  let shown = '';
  for (;;) {
    signal.throwIfAborted();
    const media = await api.call('getMedia', { id });
    const key = `${media.state} ${media.playable} ${media.scheduleRetranscode} ${media.job?.state} ${media.job?.progress} ${media.error?.code}`;
    if (key !== shown) onChange(media);
    shown = key;
    if (!isUnderWay(media)) return media;
    if (media.error?.code === 'cap_reached') throw new CliError(EXIT.failed, media.error.message);
    await delay(POLL_MS, undefined, { signal }).catch(() => {});
  }
}
