import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Command, Option } from 'commander';
import { MediaView, PlaybackSession } from '../../core/contracts/api.ts';
import type { ApiClient } from '../client.ts';
import { contextOf } from '../context.ts';
import { CliError, EXIT } from '../exit.ts';
import { bytes } from '../output.ts';
import { mediaPath } from './media.ts';

const WHAT = ['mp4', 'poster', 'thumbnail', 'waveform'] as const;

export function addDownload(program: Command): void {
  program
    .command('download')
    .description('save the MP4, or another output')
    .argument('<id>')
    .addOption(new Option('--what <output>').choices(WHAT).default('mp4'))
    .option('-o, --output <file>', 'default: the title')
    .action(async (id: string, options: { what: (typeof WHAT)[number]; output?: string }, command: Command) => {
      const { api, out } = await contextOf(command);
      const media = await api.call('GET', mediaPath(id), MediaView);
      const url = media.playback?.[options.what];
      if (!url) throw new CliError(EXIT.failed, `It is ${media.state}, and has no ${options.what}.`);
      const file = options.output ?? `${safe(media.title)}${extname(new URL(url).pathname)}`;
      const size = await save(url, file, await cookiesFor(api, media));
      out.result({ file, size, url }, () => `${file}  ${bytes(size)}`);
    });
}

async function cookiesFor(api: ApiClient, media: MediaView): Promise<string | null> {
  if (media.access !== 'private') return null;
  const { cookies } = await api.call('POST', `${mediaPath(media.id)}/playback-session`, PlaybackSession);
  const text = Object.entries(cookies).map(([name, value]) => `${name}=${value}`);
  return text.join('; ');
}

/** Under another name until it is whole. */
async function save(url: string, file: string, cookies: string | null): Promise<number> {
  const headers: Record<string, string> = cookies === null ? {} : { Cookie: cookies };
  const response = await fetch(url, { headers }).catch((cause: unknown) => {
    throw new CliError(EXIT.unreachable, `${url} cannot be reached: ${String(cause)}`);
  });
  if (!response.ok || !response.body) throw new CliError(EXIT.unreachable, `${url} answered ${response.status}.`);
  const partial = `${file}.part`;
  const writer = createWriteStream(partial);
  try {
    await pipeline(Readable.fromWeb(response.body as import('node:stream/web').ReadableStream), writer);
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
  return writer.bytesWritten;
}

function safe(title: string): string {
  return basename(title.replace(/[/\\:*?"<>|\p{C}]/gu, '_')) || 'media';
}
