import { spawn } from 'node:child_process';
import { safeUrl } from './url.ts';

/**
 * Opens a URL on the desktop. Without a desktop, the printed URL has to do.
 * @throws CliError for one that is neither https nor local
 */
export function openInBrowser(text: string): Promise<void> {
  const url = safeUrl(text);
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
