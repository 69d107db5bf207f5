import type { Command } from 'commander';
import { contextOf } from '../context.ts';

export function addRm(program: Command): void {
  program
    .command('rm')
    .description('delete media')
    .argument('<id...>')
    .action(async (ids: string[], _options: object, command: Command) => {
      const { api, out } = await contextOf(command);
      for (const id of ids) {
        const media = await api.call('deleteMedia', { id });
        out.result(media, () => `${media.id}  ${media.state}`);
      }
    });
}
