import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import type { MediaView } from '../../core/contracts/http/media.ts';
import { printableLine } from '../../core/contracts/text.ts';
import { type Context, contextOf } from '../context.ts';
import { CliError, EXIT } from '../exit.ts';
import { mediaId } from '../options.ts';
import { activityOf } from '../progress.ts';
import { isUnderWay, untilDone } from '../wait.ts';

const POLL_MS = 2000;

export function addWatch(program: Command): void {
  program
    .command('watch')
    .description('follow one media item to its end, or all that are under way, until Ctrl-C')
    .argument('[id]', '', mediaId)
    .action(async (id: string | undefined, _options: object, command: Command) => {
      const context = await contextOf(command);
      const stop = new AbortController();
      process.once('SIGINT', () => stop.abort(new CliError(EXIT.interrupted, 'Interrupted.')));
      if (id === undefined) return watchAll(context, stop.signal);
      const media = await untilDone(context.api, id, stop.signal, (now) => show(context, now));
      if (media.state === 'failed') {
        throw new CliError(EXIT.failed, printableLine(media.error?.message ?? 'It failed.'));
      }
    });
}

/**
 * Shows, of the newest 100, those in progress, then every change.
 * @throws the signal's reason
 */
async function watchAll(context: Context, signal: AbortSignal): Promise<never> {
  const shown = new Map<string, string>();
  for (let first = true; ; first = false) {
    const { items } = await context.api.call('listMedia', { query: { limit: 100 } });
    for (const media of items) {
      const key = `${media.seq} ${media.state}`;
      if (shown.get(media.id) !== key && (!first || isUnderWay(media))) show(context, media);
      shown.set(media.id, key);
    }
    await delay(POLL_MS, undefined, { signal }).catch(() => {});
    signal.throwIfAborted();
  }
}

function show({ out }: Context, media: MediaView): void {
  out.result(media, () => progressLine(media));
}

function progressLine(media: MediaView): string {
  const { job, error } = media;
  const parts: string[] = [media.id, media.state];
  if (job && (job.state === 'running' || job.state === 'queued')) {
    parts.push(
      activityOf(media.state, job),
      `${Math.floor(job.progress)} %`,
      job.speed ? `${job.speed.toFixed(2)}×` : '',
    );
    if (media.playable && media.state === 'transcoding') parts.push('its beginning can be played');
  } else if (media.scheduleRetranscode) {
    parts.push('flagged for a new encode');
  }
  if (error) parts.push(`${error.code}: ${error.message}`);
  return printableLine([...parts.filter(Boolean), media.title].join('  '));
}
