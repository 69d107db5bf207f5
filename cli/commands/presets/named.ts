import { readFile } from 'node:fs/promises';
import type { Client } from '../../../client/client.ts';
import type { PresetView } from '../../../core/contracts/http/presets.ts';
import { parseJson } from '../../../core/contracts/text.ts';
import { CliError, EXIT } from '../../exit.ts';

/** A file longer than this is not a preset. */
const MOST_BYTES = 100_000;

/** What a file says beside the settings, as `show --json` prints it. */
export interface PresetFile {
  name: string | undefined;
  /** The version that it was made from. */
  version: number | undefined;
  settings: Record<string, unknown>;
}

/** `team`, or `team@2`. */
export async function loadNamed(api: Client, text: string): Promise<PresetView> {
  const [name = '', version] = text.split('@');
  if (version === undefined) return api.call('getPreset', { name });
  const number = Number(version);
  if (!/^[1-9]\d{0,5}$/.test(version))
    throw new CliError(EXIT.usage, `${text}: a version is a number, as in ${name}@2.`);
  return api.call('getPreset', { name, query: { version: number } });
}

/** @throws CliError for a file that cannot be read, or is not a JSON object */
export async function readPresetFile(path: string): Promise<PresetFile> {
  const text = await readFile(path === '-' ? '/dev/stdin' : path, 'utf8').catch((cause: Error) => {
    throw new CliError(EXIT.usage, `${path}: ${cause.message}`);
  });
  const value = text.length > MOST_BYTES ? undefined : parseJson(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new CliError(EXIT.usage, `${path}: it is not a JSON object.`);
  }
  // What the API tells beside the settings is not sent back to it.
  const {
    name,
    version,
    builtIn: _,
    creatorId: _of,
    createdAt: _at,
    users: _users,
    ...settings
  } = value as Record<string, unknown>;
  return {
    name: typeof name === 'string' ? name : undefined,
    version: typeof version === 'number' ? version : undefined,
    settings,
  };
}
