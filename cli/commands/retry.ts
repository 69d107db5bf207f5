import type { Command } from 'commander';
import type { EngineChoice } from '../../core/contracts/engines.ts';
import { ERRORS } from '../../core/contracts/errors.ts';
import { contextOf } from '../context.ts';
import { engineOption, mediaId } from '../options.ts';

export function addRetry(program: Command): void {
  program
    .command('retry')
    .description('retry a failed media item')
    .argument('<id>', '', mediaId)
    .addOption(engineOption('encode it with this engine from now on'))
    .action(async (id: string, { engine }: { engine?: EngineChoice }, command: Command) => {
      const { api, out } = await contextOf(command);
      const { error } = await api.call('getMedia', { id });
      const media = await api.call('retryMedia', { id, ...(engine && { body: { engine } }) });
      out.result(media, () => `${media.id}  ${media.state}`);
      if (error && !ERRORS[error.code].transient && !out.json) {
        out.note(`It had failed with ${error.code}, which a retry alone does not mend. ${ERRORS[error.code].action}`);
      }
    });
}
