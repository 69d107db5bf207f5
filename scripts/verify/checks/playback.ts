import type { Check } from '../check.ts';
import { Failed } from '../failed.ts';
import { dropClip, FRAMES_PER_SECOND, framesOf, makeClip, ready } from '../media.ts';

const SECONDS = 8;

/** CloudFront serves a file dropped in the bucket, whole; then it is encoded again, and still plays. */
export const playback: Check = {
  name: 'playback',
  promise: 'a dropped file plays through the distribution, whole',
  async run(run) {
    const mediaId = await dropClip(run, await makeClip(run, 'playback.mp4', SECONDS, '1280x720'), 'default');
    const { playback: urls, version } = await ready(run, mediaId);
    if (!urls) throw new Failed(`The media item ${mediaId} is ready, but the API gives no playback address.`);
    const frames = await framesOf(urls.hls);
    if (frames !== SECONDS * FRAMES_PER_SECOND) {
      throw new Failed(`${urls.hls} holds ${frames} of ${SECONDS * FRAMES_PER_SECOND} frames.`);
    }
    return `${version?.renditions.length} renditions, ${frames} frames of ${urls.hls}`;
  },
};
