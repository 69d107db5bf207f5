import { type Command, Option } from 'commander';
import { OPTIONAL_NAMES, type OptionalName } from '../../core/contracts/outputs.ts';
import { contextOf } from '../context.ts';
import { mediaId } from '../options.ts';

interface Options {
  what: OptionalName;
  hours: number;
}

export function addLink(program: Command): void {
  program
    .command('link')
    .description('print the address of one output; that of a private media item expires')
    .argument('<id>', '', mediaId)
    .addOption(new Option('--what <output>').choices(OPTIONAL_NAMES).default('mp4'))
    .addOption(new Option('--hours <n>', 'how long it is good for').default(1).argParser(Number))
    .action(async (id: string, { what: output, hours }: Options, command: Command) => {
      const { api, out } = await contextOf(command);
      const link = await api.call('createMediaLink', { id, body: { output, hours } });
      out.result(link, () => link.url);
    });
}
