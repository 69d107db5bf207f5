import type { Command } from 'commander';
import { contextOf } from '../context.ts';

export function addRetry(program: Command): void {
  program
    .command('retry')
    .description('retry a failed media item')
    .argument('<id>')
    .action(async (id: string, _options: object, command: Command) => {
      const { api, out } = await contextOf(command);
      const media = await api.call('retryMedia', { id });
      out.result(media, () => `${media.id}  ${media.state}`);
    });
}
