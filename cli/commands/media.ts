import type { Command } from 'commander';
import { CollectionView, JobList, MediaPage, MediaView } from '../../core/contracts/api.ts';
import { contextOf } from '../context.ts';
import { CliError, EXIT } from '../exit.ts';
import { openInBrowser, playerUrl } from '../open.ts';
import { bytes, duration, fields, table } from '../output.ts';
import { untilDone } from '../wait.ts';

export function addMedia(program: Command): void {
  program
    .command('ls')
    .description('list media, newest first')
    .option('-c, --collection <id>')
    .option('-s, --state <state>', 'uploading, uploaded, transcoding, ready, failed, retranscoding or deleting')
    .option('--creator <id>', 'for operators')
    .option('--from <time>', 'created at or after, ISO 8601')
    .option('--to <time>', 'created before, ISO 8601')
    .option('-n, --limit <n>', 'how many', '50')
    .option('--all', 'every one')
    .action(async (options: Record<string, string | true>, command: Command) => {
      const { api, out } = await contextOf(command);
      const wanted = options.all ? Number.POSITIVE_INFINITY : Number(options.limit);
      if (Number.isNaN(wanted) || wanted < 1) throw new CliError(EXIT.usage, '--limit takes a number from 1.');
      const items: MediaView[] = [];
      let cursor: string | undefined;
      do {
        const text = (value: string | true | undefined) => (typeof value === 'string' ? value : undefined);
        const query = {
          collectionId: text(options.collection),
          state: text(options.state),
          creatorId: text(options.creator),
          from: text(options.from),
          to: text(options.to),
          limit: Math.min(wanted - items.length, 100),
          cursor,
        };
        const page: MediaPage = await api.call('GET', '/media', MediaPage, { query });
        items.push(...page.items);
        cursor = page.next ?? undefined;
      } while (cursor && items.length < wanted);
      out.result(items, () => listed(items));
    });

  program
    .command('show')
    .description('all about one media')
    .argument('<id>')
    .option('--jobs', 'its jobs too')
    .action(async (id: string, options: { jobs?: boolean }, command: Command) => {
      const { api, out } = await contextOf(command);
      const media = await api.call('GET', mediaPath(id), MediaView);
      const jobs = options.jobs ? (await api.call('GET', `${mediaPath(id)}/jobs`, JobList)).items : undefined;
      out.result({ ...media, ...(jobs && { jobs }) }, () =>
        [
          describe(media),
          ...(jobs
            ? [
                '',
                table(
                  ['JOB', 'PURPOSE', 'STATE', 'CREATED', 'USD', 'ERROR'],
                  jobs.map((job) => [
                    job.id,
                    job.purpose,
                    job.state,
                    job.createdAt,
                    job.cost ? job.cost.usd.toFixed(4) : '',
                    job.error?.code ?? '',
                  ]),
                ),
              ]
            : []),
        ].join('\n'),
      );
    });

  program.command('retry').description('try a failed media again').argument('<id>').action(act('retry'));
  program
    .command('rollback')
    .description('put the previous version back')
    .argument('<id>')
    .action(act('rollback', () => 'going back to the version before'));

  program
    .command('retranscode')
    .description('encode again with the present preset: one media, or a whole collection')
    .argument('[id]')
    .option('-c, --collection <id>')
    .option('--creator <id>', 'for operators: whose collection')
    .action(async (id: string | undefined, options: { collection?: string; creator?: string }, command: Command) => {
      if ((id === undefined) === (options.collection === undefined)) {
        throw new CliError(EXIT.usage, 'Give a media id or --collection.');
      }
      if (id !== undefined) return act('retranscode', () => 'flagged')(id, {}, command);
      const { api, out } = await contextOf(command);
      const path = `/collections/${encodeURIComponent(options.collection ?? '')}/retranscode`;
      const query = { creatorId: options.creator };
      const collection = await api.call('POST', path, CollectionView, { query });
      out.result(collection, () => `${collection.id}  flagged`);
    });

  program
    .command('rm')
    .description('delete media')
    .argument('<id...>')
    .action(async (ids: string[], _options: object, command: Command) => {
      const { api, out } = await contextOf(command);
      for (const id of ids) {
        const media = await api.call('DELETE', mediaPath(id), MediaView);
        out.result(media, () => `${media.id}  ${media.state}`);
      }
    });

  program
    .command('edit')
    .description('change title or collection')
    .argument('<id>')
    .option('--title <title>')
    .option('-c, --collection <id>')
    .action(async (id: string, options: { title?: string; collection?: string }, command: Command) => {
      const { api, out } = await contextOf(command);
      const { title, collection: collectionId } = options;
      const body = { ...(title && { title }), ...(collectionId && { collectionId }) };
      const media = await api.call('PATCH', mediaPath(id), MediaView, { body });
      out.result(media, () => describe(media));
    });

  program
    .command('watch')
    .description('follow one media to its end, or all that is under way, until Ctrl-C')
    .argument('[id]')
    .action(async (id: string | undefined, _options: object, command: Command) => {
      const { api, out } = await contextOf(command);
      const stop = new AbortController();
      process.once('SIGINT', () => stop.abort(new CliError(EXIT.interrupted, 'Interrupted.')));
      const show = (media: MediaView) => out.result(media, () => progressLine(media));
      if (id !== undefined) {
        const media = await untilDone(api, id, stop.signal, show);
        if (media.state === 'failed') throw new CliError(EXIT.failed, media.error?.message ?? 'It failed.');
        return;
      }
      const shown = new Map<string, string>();
      while (!stop.signal.aborted) {
        const { items } = await api.call('GET', '/media', MediaPage, { query: { limit: 100 } });
        for (const media of items) {
          const key = `${media.seq} ${media.state}`;
          if (shown.get(media.id) !== key && (shown.size > 0 || !settled(media))) show(media);
          shown.set(media.id, key);
        }
        await new Promise((resolve) => setTimeout(resolve, 2000));
      }
    });

  program
    .command('open')
    .description('play a media in the browser')
    .argument('<id>')
    .option('--print', 'print the URL only')
    .action(async (id: string, options: { print?: boolean }, command: Command) => {
      const { api, out, profile } = await contextOf(command);
      const media = await api.call('GET', mediaPath(id), MediaView);
      if (!media.playback) throw new CliError(EXIT.failed, `It is ${media.state}, with nothing to play yet.`);
      const url = playerUrl(profile, media.playback);
      out.result({ url, ...media.playback }, () => url);
      if (!options.print && !out.json) await openInBrowser(url);
    });
}

export function mediaPath(id: string): string {
  return `/media/${encodeURIComponent(id)}`;
}

function act(verb: 'retry' | 'rollback' | 'retranscode', said = ({ state }: MediaView): string => state) {
  return async (id: string, _options: object, command: Command): Promise<void> => {
    const { api, out } = await contextOf(command);
    const media = await api.call('POST', `${mediaPath(id)}/${verb}`, MediaView);
    out.result(media, () => `${media.id}  ${said(media)}`);
  };
}

function settled(media: MediaView): boolean {
  return media.state === 'ready' || media.state === 'failed';
}

function progressLine(media: MediaView): string {
  const { job } = media;
  const parts = [media.id, media.state];
  if (job && (job.state === 'running' || job.state === 'queued')) {
    parts.push(job.state, `${Math.floor(job.progress)} %`, job.speed ? `${job.speed.toFixed(2)}×` : '');
  }
  if (media.error) parts.push(`${media.error.code}: ${media.error.message}`);
  return [...parts.filter(Boolean), media.title].join('  ');
}

function listed(items: MediaView[]): string {
  return table(
    ['ID', 'STATE', 'DURATION', 'SIZE', 'COLLECTION', 'CREATED', 'TITLE'],
    items.map((media) => [
      media.id,
      media.state,
      duration(media.source.durationSeconds),
      bytes(media.source.size),
      media.collectionId,
      media.createdAt,
      media.title,
    ]),
  );
}

function describe(media: MediaView): string {
  const { source, version, previous, playback, error, job } = media;
  return fields([
    ['id', media.id],
    ['title', media.title],
    ['state', media.state],
    ['error', error && `${error.code}: ${error.message}`],
    ['attempts', media.attempts > 0 ? `${media.attempts} of ${media.maxAttempts}` : undefined],
    ['creator', media.creatorId],
    ['collection', media.collectionId],
    ['file', `${source.fileName}, ${bytes(source.size)}`],
    ['source', sourceLine(source)],
    ['job', job && `${job.id} ${job.state} ${Math.floor(job.progress)} %`],
    ['version', version && `${version.n}, ${version.preset.name} ${version.preset.version}, ${bytes(version.bytes)}`],
    ['previous', previous && `${previous.n}, until ${previous.expiresAt}`],
    ['flagged', media.scheduleRetranscode ? 'yes' : undefined],
    ['renditions', version?.renditions.map(({ name }) => name).join(' ')],
    ['access', media.access],
    ...Object.entries(playback ?? {}).map(([name, url]) => [name, url] as const),
    ['created', media.createdAt],
  ]);
}

function sourceLine(source: MediaView['source']): string | undefined {
  const size = source.width && source.height ? `${source.width}×${source.height}` : '';
  const parts = [duration(source.durationSeconds), size, source.videoCodec ?? '', source.audioCodec ?? ''];
  const text = parts.filter(Boolean).join(' ');
  return text || undefined;
}
