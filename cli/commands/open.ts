import type { Command } from 'commander';
import type { Client } from '../../client/client.ts';
import type { MediaView } from '../../core/contracts/http/media.ts';
import { contextOf } from '../context.ts';
import { CliError, EXIT } from '../exit.ts';
import { openInBrowser } from '../open.ts';
import { mediaId } from '../options.ts';

export function addOpen(program: Command): void {
  program
    .command('open')
    .description('play a media item in the browser')
    .argument('<id>', '', mediaId)
    .option('--print', 'print the URL only')
    .action(async (id: string, options: { print?: boolean }, command: Command) => {
      const { api, out, profile } = await contextOf(command);
      const media = await api.call('getMedia', { id });
      const { playback, state } = media;
      if (!playback) throw new CliError(EXIT.failed, `It is ${state}, with nothing to play yet.`);
      const url = await pageFor(media, playback, { api, local: profile.local });
      out.result({ url, ...playback }, () => url);
      if (!options.print && !out.json) await openInBrowser(url);
    });
}

async function pageFor(
  { id, creatorId, access }: MediaView,
  { hls, mp4 }: NonNullable<MediaView['playback']>,
  { api, local }: { api: Client; local: boolean },
): Promise<string> {
  if (access === 'private') {
    // The address alone is answered 403. A stream needs a signature on each of its requests, which a browser does not add.
    if (mp4) return (await api.call('createMediaLink', { id, body: { output: 'mp4' } })).url;
    throw new CliError(EXIT.failed, 'It is private, and has no MP4 that a browser could play by its address.');
  }
  // Only the local cloud has a player page.
  if (local) return new URL(`/player/?${new URLSearchParams({ creator: creatorId, media: id })}`, hls).href;
  // The MP4 plays in every browser as it is; a stream needs a player, which Safari has built in.
  return mp4 ?? hls;
}
