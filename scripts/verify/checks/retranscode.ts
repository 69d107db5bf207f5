import { callApi } from '../api.ts';
import type { Check } from '../check.ts';
import { Failed } from '../failed.ts';
import { dropClip, framesOf, makeClip, ready } from '../media.ts';

/** AWS Batch accepts what sweep starts, and viewers get the new version. */
export const retranscode: Check = {
  name: 'retranscode',
  promise: 'a re-transcode is started, runs and is published',
  async run(run) {
    const mediaId = await dropClip(run, await makeClip(run, 'again.mp4', 4, '640x360'), 'default');
    await ready(run, mediaId);
    const { status, body } = await callApi(run, 'POST', `/media/${mediaId}/retranscode`);
    if (status >= 300)
      throw new Failed(`POST /media/${mediaId}/retranscode answered ${status}: ${JSON.stringify(body)}`);
    const { playback, version } = await ready(run, mediaId, { jobs: 2 });
    const frames = await framesOf(playback?.hls ?? '');
    return `version ${version?.n} plays, ${frames} frames`;
  },
};
