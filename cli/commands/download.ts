import { constants, createWriteStream } from 'node:fs';
import { copyFile, link, lstat, rename, rm } from 'node:fs/promises';
import { extname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Command, Option } from 'commander';
import type { Client } from '../../client/client.ts';
import type { MediaView } from '../../core/contracts/http/media.ts';
import { FILE_NAMES, type FileName } from '../../core/contracts/outputs.ts';
import { contextOf } from '../context.ts';
import { CliError, EXIT } from '../exit.ts';
import { mediaId } from '../options.ts';
import { bytes } from '../units.ts';
import { safeUrl } from '../url.ts';

interface Options {
  what: FileName;
  output?: string;
  force?: boolean;
}

export function addDownload(program: Command): void {
  program
    .command('download')
    .description('save the MP4, or another output')
    .argument('<id>', '', mediaId)
    .addOption(new Option('--what <output>').choices(FILE_NAMES).default('mp4'))
    .option('-o, --output <file>', 'default: the title; - is standard output')
    .option('--force', 'replace an existing file')
    .action(async (id: string, options: Options, command: Command) => {
      const { api, out } = await contextOf(command);
      const media = await api.call('getMedia', { id });
      const url = media.playback?.[options.what];
      if (!url) throw new CliError(EXIT.failed, `It is ${media.state}, and has no ${options.what}.`);
      if (options.output === '-') {
        const body = await fetched(safeUrl(url), await cookiesFor(api, media));
        // A pager or `head` may read a part only.
        await pipeline(body, process.stdout).catch((error: NodeJS.ErrnoException) => {
          if (error.code !== 'EPIPE') throw error;
        });
        return;
      }
      const file = options.output ?? `${fileNameOf(media.title)}${extname(new URL(url).pathname)}`;
      const size = await save(safeUrl(url), file, options.force === true, await cookiesFor(api, media));
      out.result({ file, size, url }, () => `${file}  ${bytes(size)}`);
    });
}

async function cookiesFor(api: Client, media: MediaView): Promise<string | null> {
  if (media.access !== 'private') return null;
  const { cookies } = await api.call('createPlaybackSession', { id: media.id });
  const text = Object.entries(cookies).map(([name, value]) => `${name}=${value}`);
  return text.join('; ');
}

/** Saves under another name until the file is whole. */
async function save(url: string, file: string, force: boolean, cookies: string | null): Promise<number> {
  const taken = new CliError(EXIT.usage, `${file} exists already: pass --force to replace it, or another --output.`);
  if (!force && (await exists(file))) throw taken;
  const body = await fetched(url, cookies);
  const partial = `${file}.${process.pid}.part`;
  const writer = createWriteStream(partial, { flags: 'wx' });
  try {
    await pipeline(body, writer);
    if (force) await rename(partial, file);
    // Unlike a rename, neither replaces a file that exists by now. Not every file system has links.
    else await link(partial, file).catch(() => copyFile(partial, file, constants.COPYFILE_EXCL));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw taken;
    throw error;
  } finally {
    await rm(partial, { force: true });
  }
  return writer.bytesWritten;
}

async function fetched(url: string, cookies: string | null): Promise<Readable> {
  const headers: Record<string, string> = cookies === null ? {} : { Cookie: cookies };
  const response = await fetchThere(url, headers).catch((cause: unknown) => {
    throw new CliError(EXIT.unreachable, `${url} cannot be reached: ${String(cause)}`);
  });
  if (!response.ok || !response.body) throw new CliError(EXIT.unreachable, `${url} answered ${response.status}.`);
  return Readable.fromWeb(response.body as import('node:stream/web').ReadableStream);
}

/** The address of an MP4 redirects to its version, on the same server. To another one, no redirect is followed. */
async function fetchThere(url: string, headers: Record<string, string>): Promise<Response> {
  const answer = await fetch(url, { headers, redirect: 'manual' });
  const location = answer.status === 302 ? answer.headers.get('location') : null;
  if (location === null) return answer;
  const target = new URL(location, url);
  if (target.origin !== new URL(url).origin) throw new Error(`it redirects to ${target.origin}`);
  return fetch(target, { headers, redirect: 'error' });
}

async function exists(file: string): Promise<boolean> {
  return lstat(file).then(
    () => true,
    () => false,
  );
}

/** A title as a file's name: in this directory, not hidden, and never read as an option by a program that gets it. */
export function fileNameOf(title: string): string {
  return title.replace(/[/\\:*?"<>|\p{C}\u2028\u2029]/gu, '_').replace(/^[.\s-]+/, '') || 'media';
}
