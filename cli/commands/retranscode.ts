import type { Command } from 'commander';
import { contextOf } from '../context.ts';
import { CliError, EXIT } from '../exit.ts';
import { mediaId } from '../options.ts';

interface Options {
  collection?: string;
  creator?: string;
}

export function addRetranscode(program: Command): void {
  program
    .command('retranscode')
    .description('encode again with the present preset: one media item, or a whole collection')
    .argument('[id]', '', mediaId)
    .option('-c, --collection <id>')
    .option('--creator <id>', 'for operators: whose collection')
    .action(async (id: string | undefined, options: Options, command: Command) => {
      const { collection, creator: creatorId } = options;
      if ((id === undefined) === (collection === undefined)) {
        throw new CliError(EXIT.usage, 'Pass a media id or --collection.');
      }
      const { api, out } = await contextOf(command);
      if (id !== undefined) {
        const media = await api.call('retranscodeMedia', { id });
        if (!out.json)
          out.note(`It starts within 5 minutes, or when its turn comes; dropreel watch ${media.id} follows it.`);
        return out.result(media, () => `${media.id}  flagged`);
      }
      const flagged = await api.call('retranscodeCollection', { id: collection ?? '', query: { creatorId } });
      out.result(flagged, () => `${flagged.id}  flagged`);
    });
}
