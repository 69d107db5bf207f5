import type { Command } from 'commander';
import { contextOf } from '../context.ts';
import { describeMedia } from '../describe-media.ts';
import { CliError, EXIT } from '../exit.ts';
import { given, mediaId } from '../options.ts';

interface Options {
  title?: string;
  collection?: string;
}

export function addEdit(program: Command): void {
  program
    .command('edit')
    .description('change title or collection')
    .argument('<id>', '', mediaId)
    .option('--title <title>')
    .option('-c, --collection <id>')
    .action(async (id: string, { title, collection: collectionId }: Options, command: Command) => {
      const body = given({ title, collectionId });
      if (Object.keys(body).length === 0) throw new CliError(EXIT.usage, 'Say what to change.');
      const { api, out } = await contextOf(command);
      const media = await api.call('patchMedia', { id, body });
      out.result(media, () => describeMedia(media));
    });
}
