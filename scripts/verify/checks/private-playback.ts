import { CollectionView } from '../../../core/contracts/http/collections.ts';
import { PlaybackSession } from '../../../core/contracts/http/media.ts';
import { callApi } from '../api.ts';
import { findBrowser, playsInBrowser } from '../browser.ts';
import type { Check } from '../check.ts';
import { Failed, Skipped } from '../failed.ts';
import { dropClip, makeClip, ready } from '../media.ts';

const COLLECTION = 'private-films';

/** A private media item plays with a session, in a real browser, and not without one. */
export const privatePlayback: Check = {
  name: 'private-playback',
  promise: 'a private media item plays in a browser with a session, and not without',
  async run(run) {
    const request = { id: COLLECTION, playback: 'private', creatorId: run.creatorId };
    if (!run.target.resources.some(({ ResourceType }) => ResourceType === 'AWS::CloudFront::KeyGroup')) {
      throw new Skipped('no key of private playback is configured (docs/deploy.md, "A key for private playback")');
    }
    const made = await callApi(run, 'POST', '/collections', request);
    if (made.status !== 201) {
      throw new Failed(`POST /collections answered ${made.status}: ${JSON.stringify(made.body)}`);
    }
    const { id } = CollectionView.parse(made.body);
    run.atEnd(`the collection ${id}`, async () => {
      await callApi(run, 'DELETE', `/collections/${id}?creatorId=${run.creatorId}`);
    });
    const mediaId = await dropClip(run, await makeClip(run, 'private.mp4', 4, '640x360'), COLLECTION);
    const { playback } = await ready(run, mediaId);
    const master = playback?.hls ?? '';
    const { status } = await fetch(master);
    if (status !== 403) throw new Failed(`${master} answers ${status} without a session, 403 is right.`);
    const session = await callApi(run, 'POST', `/media/${mediaId}/playback-session`);
    if (session.status >= 300) throw new Failed(`POST /media/${mediaId}/playback-session answered ${session.status}`);
    const { cookies } = PlaybackSession.parse(session.body);
    // CloudFront also accepts the three as query parameters, without the prefix of the cookies' names.
    const query = new URLSearchParams(
      Object.entries(cookies).map(([name, value]): [string, string] => [name.replace('CloudFront-', ''), value]),
    ).toString();
    const browser = findBrowser();
    if (browser) {
      await playsInBrowser(browser, master, query);
      return `${master} plays in ${browser} with a session, and answers 403 without`;
    }
    const { ok } = await fetch(`${master}?${query}`);
    if (!ok) throw new Failed(`${master} cannot be read with a session.`);
    return `${master} can be read with a session only (there is no Chromium here to play it in)`;
  },
};
