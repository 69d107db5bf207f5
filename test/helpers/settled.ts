import type { MediaState } from '../../core/contracts/rows.ts';
import type { Cloud } from '../../local/boot.ts';
import { eventually } from './cloud.ts';
import { readMedia } from './pipeline.ts';

/** Between two steps of the clock, so that what a step has set going can be done. */
const REST_MS = 1000;

/** Awaits a state of a media and lets 16 minutes go by, again and again, while nothing is at work: sweep runs in between. */
export async function reachedInTime(cloud: Cloud, mediaId: string, state: MediaState, timeoutMs = 90_000) {
  let restedAt = Date.now();
  return eventually(
    `${mediaId} is ${state}`,
    async () => {
      const media = await readMedia(cloud, mediaId);
      if (media?.state === state) return media;
      if (cloud.batch.running().length > 0 || cloud.lambda.running().length > 0) restedAt = Date.now();
      if (Date.now() - restedAt >= REST_MS) {
        cloud.clock.advance(16 * 60_000);
        restedAt = Date.now();
      }
      return undefined;
    },
    timeoutMs,
  );
}
