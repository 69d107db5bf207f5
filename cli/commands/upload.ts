import { basename } from 'node:path';
import type { Command } from 'commander';
import type { EngineChoice } from '../../core/contracts/engines.ts';
import type { MediaView } from '../../core/contracts/http/media.ts';
import { printableLine } from '../../core/contracts/text.ts';
import { type Context, contextOf } from '../context.ts';
import { warningLine } from '../describe-media.ts';
import { CliError, cliErrorOf, EXIT } from '../exit.ts';
import { engineOption, wholeNumber } from '../options.ts';
import { activityOf, bar } from '../progress.ts';
import { bytes } from '../units.ts';
import { uploadFile } from '../upload/upload.ts';
import { untilDone } from '../wait.ts';

interface Options {
  collection?: string;
  title?: string;
  type?: string;
  engine?: EngineChoice;
  concurrency: number;
  wait?: boolean;
}

/** Files sent at once, each in several parallel parts. */
const FILES_AT_ONCE = 2;
/** The progress line changes at most this often, in milliseconds. */
const REDRAW_MS = 100;

export function addUpload(program: Command): void {
  program
    .command('upload')
    .description('send files; after Ctrl-C the same command continues where it stopped')
    .argument('<file...>')
    .option('-c, --collection <id>', 'collection to put them in')
    .option('--title <title>', 'title, for a single file')
    .option('--type <mime>', 'content type, if the extension does not determine it')
    .addOption(engineOption('what encodes them, whatever their collection says'))
    .option('--concurrency <n>', 'parts sent at once', wholeNumber(1, 32), 4)
    .option('-w, --wait', 'wait until each is ready or failed')
    .action(async (files: string[], options: Options, command: Command) => {
      if (options.title && files.length > 1) throw new CliError(EXIT.usage, '--title is for a single file.');
      const context = await contextOf(command);
      const [first, ...others] = await sendAll(context, files, options);
      for (const other of others) if (other !== first) context.out.error(other);
      if (first) throw first;
    });
}

async function sendAll(context: Context, files: string[], options: Options): Promise<Error[]> {
  const stop = new AbortController();
  const interrupt = () =>
    stop.abort(new CliError(EXIT.interrupted, 'Interrupted. The same command continues from here.'));
  // Not `once`: with no listener left, the renderer's own would end the process before this one's message.
  process.on('SIGINT', interrupt);
  const failures: Error[] = [];
  const lost: string[] = [];
  const one = async (path: string, onProgress: (text: string) => void): Promise<void> => {
    try {
      const media = await send(context, path, { options, signal: stop.signal, onProgress });
      // The API says `uploading` until the event of the bytes has come; the command knows that all of them are there.
      const state = media.state === 'uploading' ? 'uploaded' : media.state;
      context.out.result({ file: path, ...media }, () => `${media.id}  ${state}  ${printableLine(path)}`);
      lost.push(...(media.version?.warnings ?? []).map((each) => `${path}: ${warningLine(each)}`));
      if (media.state === 'failed') {
        const { message = 'failed', code = '' } = media.error ?? {};
        throw new CliError(EXIT.failed, printableLine(`${path}: ${message} (${code})`));
      }
    } catch (error) {
      const failure = stop.signal.aborted ? stop.signal.reason : ofFile(path, error);
      failures.push(failure);
      throw failure;
    }
  };
  // Without a terminal there is nothing to redraw: one line of the result per file.
  const live = process.stderr.isTTY === true && !context.out.json;
  // Loaded on demand: the other commands start sooner without it.
  const { Listr } = await import('listr2');
  const tasks = new Listr(
    files.map((path) => ({
      title: printableLine(basename(path)),
      task: (_: unknown, task: { title: string }) =>
        one(path, (text) => {
          task.title = printableLine(`${basename(path)}  ${text}`);
        }),
    })),
    {
      concurrent: FILES_AT_ONCE,
      exitOnError: false,
      renderer: live ? 'default' : 'silent',
      // The command reports the errors at its end.
      rendererOptions: { showErrorMessage: false },
      registerSignalListeners: false,
    },
  );
  await tasks.run();
  // With --json they are part of the result.
  if (!context.out.json) for (const line of lost) context.out.note(printableLine(`warning: ${line}`));
  process.removeListener('SIGINT', interrupt);
  return failures;
}

/** The command's own errors name their file; those of API and storage do not. */
function ofFile(path: string, error: unknown): CliError {
  const { exitCode, message, problem } = cliErrorOf(error);
  return error instanceof CliError ? error : new CliError(exitCode, printableLine(`${path}: ${message}`), problem);
}

async function send(
  { api, profile }: Context,
  path: string,
  { options, signal, onProgress }: { options: Options; signal: AbortSignal; onProgress: (text: string) => void },
): Promise<MediaView> {
  const started = Date.now();
  let drawn = 0;
  /** Bytes that an earlier run has sent. */
  let before: number | undefined;
  const media = await uploadFile({
    api,
    apiUrl: profile.apiUrl,
    path,
    collectionId: options.collection,
    title: options.title,
    contentType: options.type,
    engine: options.engine,
    concurrency: options.concurrency,
    signal,
    onProgress: (sent, size) => {
      before ??= sent;
      const now = Date.now();
      if (now - drawn < REDRAW_MS && sent < size) return;
      drawn = now;
      const rate = (sent - before) / Math.max((now - started) / 1000, 0.001);
      onProgress(`${bar((100 * sent) / size)}  ${bytes(rate)}/s`);
    },
  });
  if (!options.wait) return media;
  return untilDone(api, media.id, signal, ({ state, job }) =>
    onProgress(`${bar(job?.progress ?? 0)}  ${activityOf(state, job)}`),
  );
}
