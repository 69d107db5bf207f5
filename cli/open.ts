import { spawn } from 'node:child_process';
import type { MediaView } from '../core/contracts/api.ts';
import type { Profile } from './config.ts';

/** The MP4 plays in every browser as it is; a stream needs a player, which Safari has built in. */
export function playerUrl(_profile: Profile, playback: NonNullable<MediaView['playback']>): string {
  return playback.mp4 ?? playback.hls;
}

/** Hands a URL to the desktop. Where there is none, the URL was printed anyway. */
export function openInBrowser(url: string): Promise<void> {
  const [command, ...args] =
    process.platform === 'darwin'
      ? ['open', url]
      : process.platform === 'win32'
        ? ['rundll32', 'url.dll,FileProtocolHandler', url]
        : ['xdg-open', url];
  return new Promise((resolve) => {
    const child = spawn(command ?? 'xdg-open', args, { stdio: 'ignore', detached: true });
    child.on('error', () => resolve());
    child.on('spawn', () => {
      child.unref();
      resolve();
    });
  });
}
