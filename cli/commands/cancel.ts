import type { Command } from 'commander';
import { contextOf } from '../context.ts';
import { mediaId } from '../options.ts';

export function addCancel(program: Command): void {
  program
    .command('cancel')
    .description('end the encode that is under way; what plays stays')
    .argument('<id>', '', mediaId)
    .action(async (id: string, _options: object, command: Command) => {
      const { api, out } = await contextOf(command);
      const media = await api.call('cancelMedia', { id });
      out.result(media, () => `${media.id}  its encode is being ended`);
    });
}
