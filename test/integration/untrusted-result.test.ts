import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { getJob, getMedia } from '../../aws/table.ts';
import type { Succeeded } from '../../core/contracts/job.ts';
import { publishJob } from '../../functions/publish-output/publish.ts';
import { MEDIA_ID } from '../support/factories.ts';
import {
  jobIdOf,
  leaveOutput,
  leaveResult,
  mediaObjects,
  nextJob,
  publishServices,
  SMALL,
  startPublished,
  watch,
} from '../support/published.ts';
import type { Services } from '../support/services.ts';

// Read when the logger is made, before any other line here.
vi.hoisted(() => {
  process.env.POWERTOOLS_LOG_LEVEL = 'SILENT';
});

let services: Services;
beforeEach(async () => {
  services = await startPublished();
});
afterEach(() => services[Symbol.asyncDispose]());

const playlist = (uri: string) => `#EXTM3U\n#EXTINF:6.0,\n${uri}\n#EXT-X-ENDLIST\n`;

/** What a worker that is not ours may write into its result, and what of it is refused. */
const CASES: [string, (made: Succeeded) => Partial<Succeeded>, string][] = [
  [
    'whose playlist names a file of another site',
    ({ playlists }) => ({ playlists: { ...playlists, '360p.m3u8': playlist('https://evil.example/1.mp4') } }),
    'v2/360p.m3u8 names https://evil.example/1.mp4, which does not exist.',
  ],
  [
    'whose playlist names a file of another version',
    ({ playlists }) => ({ playlists: { ...playlists, '360p.m3u8': playlist('../v1/360p_000.m4s') } }),
    'v2/360p.m3u8 names ../v1/360p_000.m4s, which does not exist.',
  ],
  [
    'whose preview names a file of the whole stream',
    ({ playlists }) => ({ playlists: { ...playlists, 'preview/360p.m3u8': playlist('../../v2/360p.mp4') } }),
    'preview/v2/360p.m3u8 names ../../v2/360p.mp4, which does not exist.',
  ],
  [
    'that has a master playlist of its own',
    ({ playlists }) => ({ playlists: { ...playlists, 'master.m3u8': playlist('360p.mp4') } }),
    'v2/master.m3u8 twice.',
  ],
  [
    'that has a manifest among its files',
    ({ files }) => ({
      files: files.map((file) => (file.path === '360p.mp4' ? { ...file, path: 'manifest.mpd' } : file)),
    }),
    'v2/manifest.mpd twice.',
  ],
];

it.each(CASES)('a result %s is not published, and nothing of it is copied', async (_, forge, why) => {
  const n = await nextJob(services);
  const made = await leaveOutput(services, n, { ...SMALL, oneFile: true });
  await leaveResult(services, { ...made, ...forge(made) });
  await publishJob(publishServices(services), { jobId: jobIdOf(n) }, () => 900_000);
  expect(await getJob(services.table, MEDIA_ID, n)).toMatchObject({
    state: 'failed',
    error: { code: 'publish_failed', message: expect.stringContaining(why) },
  });
  expect(await getMedia(services.table, MEDIA_ID)).toMatchObject({ state: 'ready', current: { version: 1 } });
  expect(await watch(services)).toMatchObject({ version: 1 });
  expect((await mediaObjects(services, 'ann/')).filter((key) => key.includes('v2'))).toEqual([]);
});
