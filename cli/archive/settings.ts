import { mkdir, readFile, realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { ArchivePolicy } from '../../core/contracts/archive.ts';
import { parseJson } from '../../core/contracts/text.ts';
import { CliError, EXIT } from '../exit.ts';
import { DISK } from './file-system.ts';
import { statOf } from './recording.ts';

/** In the folder: its settings, the status and what was learned. Files beside the recordings are in recording.ts. */
export const STATE_DIRECTORY = '.dropreel-archive';

const Settings = z.strictObject({ enabled: z.boolean(), policy: ArchivePolicy });
export type Settings = z.infer<typeof Settings>;

const Learned = z.object({ bytesPerSecond: z.number().positive().optional() });

/** @throws CliError when it is not a folder */
export async function folderAt(path: string): Promise<string> {
  const folder = await realpath(path).catch(() => undefined);
  if (folder === undefined || !(await stat(folder)).isDirectory())
    throw new CliError(EXIT.usage, `${path} is not a folder.`);
  return folder;
}

/**
 * Two archives must not work on one file.
 * @throws CliError for a folder within one that has an archive
 */
export async function requireNotNested(folder: string): Promise<void> {
  for (let [at, above] = [folder, dirname(folder)]; above !== at; [at, above] = [above, dirname(above)]) {
    const state = join(above, STATE_DIRECTORY);
    if (!(await statOf(state))) continue;
    throw new CliError(EXIT.usage, `${folder} is in ${above}, which has an archive: use that one, or delete ${state}.`);
  }
}

/** Those of a folder that nobody has enabled are off, with the defaults and the time zone of this machine. */
export async function readSettings(folder: string): Promise<Settings> {
  const path = join(folder, STATE_DIRECTORY, 'policy.json');
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return { enabled: false, policy: ArchivePolicy.parse({ timeZone: ownTimeZone() }) };
  const { data, error } = Settings.safeParse(parseJson(text));
  if (data) return data;
  const [first] = error.issues;
  throw new CliError(EXIT.usage, `${path}: ${first?.path.join('.')}: ${first?.message}`);
}

function ownTimeZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

export async function writeSettings(folder: string, settings: Settings): Promise<void> {
  await writeState(folder, 'policy.json', settings);
}

export async function readSpeed(folder: string): Promise<number | undefined> {
  const text = await readFile(join(folder, STATE_DIRECTORY, 'speed.json'), 'utf8').catch(() => '');
  return Learned.safeParse(parseJson(text)).data?.bytesPerSecond;
}

export async function writeSpeed(folder: string, bytesPerSecond: number): Promise<void> {
  await writeState(folder, 'speed.json', { bytesPerSecond });
}

/** Replaces a file of the state: readers find the old one or the new one. */
export async function writeState(folder: string, name: string, value: object): Promise<void> {
  const directory = join(folder, STATE_DIRECTORY);
  await mkdir(directory, { recursive: true });
  if (!(await statOf(directory))?.isDirectory()) throw new Error(`${directory} is a link: delete it.`);
  const path = join(directory, name);
  await DISK.write(`${path}.part`, `${JSON.stringify(value, null, 2)}\n`);
  await DISK.rename(`${path}.part`, path);
}

/**
 * The policy with some of its fields changed.
 * @param changes `name=value`, with `floors.mean` for a field of a field
 * @throws CliError for a name or a value that it does not have
 */
export function changed(policy: ArchivePolicy, changes: readonly string[]): ArchivePolicy;
export function changed<Schema extends z.ZodObject>(
  policy: z.infer<Schema>,
  changes: readonly string[],
  schema: Schema,
): z.infer<Schema>;
export function changed(policy: object, changes: readonly string[], schema: z.ZodObject = ArchivePolicy): object {
  const draft = structuredClone(policy) as Record<string, unknown>;
  for (const change of changes) {
    const [, name, text = ''] = /^([A-Za-z.]+)=(.*)$/.exec(change) ?? [];
    if (name === undefined) throw new CliError(EXIT.usage, `${change}: takes NAME=VALUE, such as minAgeDays=14.`);
    const [field = '', inner] = name.split('.');
    const value = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : text;
    if (inner === undefined) draft[field] = value;
    else draft[field] = { ...(draft[field] as object | undefined), [inner]: value };
  }
  const { data, error } = schema.safeParse(draft);
  if (data) return data;
  const [issue] = error.issues;
  const names = Object.keys(schema.shape).join(', ');
  throw new CliError(EXIT.usage, `${issue?.path.join('.') || 'policy'}: ${issue?.message}. It has ${names}.`);
}
