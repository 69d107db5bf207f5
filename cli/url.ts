import { isLoopbackUrl } from '../core/contracts/loopback.ts';
import { printableLine } from '../core/contracts/text.ts';
import { CliError, EXIT } from './exit.ts';

/**
 * Permits an address to which a token or a film may be sent, or which may be opened: https, or http on this machine. Tokens sent to
 * another address could be read on the way, and a desktop opens `file:` and programs' own schemes as readily as pages.
 * @throws CliError for any other address
 */
export function safeUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopbackUrl(text))) return url.href;
  throw new CliError(EXIT.usage, `${printableLine(text)} is neither https nor http on this machine: it is not used.`);
}
