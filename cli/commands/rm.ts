import type { Command } from 'commander';
import { contextOf } from '../context.ts';
import { mediaId } from '../options.ts';

export function addRm(program: Command): void {
  program
    .command('rm')
    .description('delete media')
    .argument('<id...>', '', (text, ids: string[] = []) => [...ids, mediaId(text)])
    .action(async (ids: string[], _options: object, command: Command) => {
      const { api, out } = await contextOf(command);
      for (const id of ids) {
        const media = await api.call('deleteMedia', { id });
        out.result(media, () => `${media.id}  ${media.state}`);
      }
    });
}
