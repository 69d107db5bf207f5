import type { Command } from 'commander';
import type { Client } from '../../../client/client.ts';
import { RefusedError } from '../../../client/errors.ts';
import type { PresetRequest, PresetView } from '../../../core/contracts/http/presets.ts';
import { contextOf } from '../../context.ts';
import { CliError, EXIT } from '../../exit.ts';
import { describePreset } from './describe.ts';
import { changesBetween } from './differences.ts';
import { readPresetFile } from './named.ts';

interface Options {
  name?: string;
  confirm?: boolean;
}

export function addPresetsSet(presets: Command): void {
  presets
    .command('set')
    .description('make a preset, or its next version, of a JSON file as `show --json` prints it')
    .argument('<file>', '- for standard input')
    .option('--name <name>', 'of another name than the file says')
    .option('--confirm', 'also where collections use it')
    .action(async (file: string, options: Options, command: Command) => {
      const { api, out } = await contextOf(command);
      const given = await readPresetFile(file);
      const name = options.name ?? given.name;
      if (name === undefined) throw new CliError(EXIT.usage, `${file} has no name; say --name NAME.`);
      // The version in a file is that of the preset of its own name.
      const from = name === given.name ? given.version : undefined;
      const before = await present(api, name);
      const ifMatch = from ?? before?.version;
      const preset = await api
        .call('putPreset', {
          name,
          query: options.confirm ? { confirm: 'true' } : {},
          body: given.settings as PresetRequest,
          ...(before ? { ifMatch: `"${ifMatch}"` } : { ifNoneMatch: '*' as const }),
        })
        .catch((error: unknown) => {
          throw explained(error);
        });
      out.result(preset, () => `${whatChanged(before, preset)}\n\n${describePreset(preset)}`);
    });
}

async function present(api: Client, name: string): Promise<PresetView | null> {
  return api.call('getPreset', { name }).catch((error: unknown) => {
    if (error instanceof RefusedError && error.status === 404) return null;
    throw error;
  });
}

function whatChanged(before: PresetView | null, after: PresetView): string {
  if (!before) return `${after.name} is new.`;
  const changes = changesBetween(before, after);
  if (changes.length === 0) return `${after.name} says the same as before.`;
  const lines = changes.map(({ field, from, to }) => `  ${field}: ${from} → ${to}`);
  return [`${after.name}, version ${before.version} → ${after.version}`, ...lines].join('\n');
}

/** The API names each field that it refuses, and who uses the preset. */
function explained(error: unknown): unknown {
  const { problem } = error instanceof RefusedError ? error : {};
  if (!problem?.errors || problem.errors.length === 0) return error;
  const lines = problem.errors.map(({ path, message }) => `  ${path.replace(/^body\./, '')}: ${message}`);
  const hint = problem.code === 'preset_in_use' ? '\nOnce that is meant: --confirm' : '';
  return new CliError(EXIT.refused, `${problem.detail}\n${lines.join('\n')}${hint}`, problem);
}
