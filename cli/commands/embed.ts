import type { Command } from 'commander';
import { embedCode, frameSize } from '../../core/contracts/embed.ts';
import { contextOf } from '../context.ts';
import { CliError, EXIT } from '../exit.ts';
import { mediaId } from '../options.ts';

interface Options {
  hours: number;
  url?: true;
  width?: number;
}

export function addEmbed(program: Command): void {
  program
    .command('embed')
    .description('print the code that shows a media item in a page of yours')
    .argument('<id>', '', mediaId)
    .option('--hours <n>', 'how long it opens a private media item', Number, 24)
    .option('--width <pixels>', 'of the frame', Number)
    .option('--url', 'print the address only')
    .action(async (id: string, { hours, url: bare, width }: Options, command: Command) => {
      const { api, out } = await contextOf(command);
      const { title, kind, version, access, collectionId, creatorId } = await api.call('getMedia', { id });
      if (!version) throw new CliError(EXIT.failed, 'There is nothing to play yet.');
      const link = await api.call('createMediaLink', { id, body: { output: 'embed', hours } });
      const size = frameSize(kind, version.renditions, width ? { maxWidth: width, maxHeight: 10 * width } : {});
      const html = embedCode({ url: link.url, title, ...size });
      out.result({ html, ...link }, () => (bare ? link.url : html));
      if (access !== 'private') return;
      const query = { creatorId };
      const collection = await api.call('getCollection', { id: collectionId, query }).catch(() => null);
      if (!collection?.embedOrigins?.length) {
        const edit = `dropreel collections edit ${collectionId} --embed-origins https://www.example.com`;
        out.note(`No site may frame it yet: ${edit}`);
      }
    });
}
