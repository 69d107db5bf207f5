import { type Command, Option } from 'commander';
import { CollectionId } from '../../../core/contracts/ids.ts';
import { type Context, contextOf } from '../../context.ts';
import { CliError, EXIT } from '../../exit.ts';

export interface FolderOptions {
  folder: string;
}

interface PlaceOptions {
  folder?: string;
  collection?: string;
}

const folderOption = () => new Option('--folder <dir>', 'the folder of recordings, on this machine');

/** For what a folder alone has. */
export function withFolder(command: Command): Command {
  return command.addOption(folderOption().makeOptionMandatory());
}

/** A folder, or a collection of the deployment. */
export function withPlace(command: Command): Command {
  return command
    .addOption(folderOption().conflicts('collection'))
    .option('--collection <id>', 'the collection, in the deployment');
}

/** A folder, or what the argument names in the deployment. */
export function withOptionalFolder(command: Command): Command {
  return command.addOption(folderOption());
}

/** An action of both editions: in a folder, or over the API. */
export function eitherWay<Args extends [...unknown[], PlaceOptions, Command]>(
  inFolder: (...args: Args) => Promise<void>,
  overApi: (context: Context, ...args: Args) => Promise<void>,
): (...args: Args) => Promise<void> {
  const local = locally(inFolder);
  return async (...args) => {
    const [options, command] = [args.at(-2) as PlaceOptions, args.at(-1) as Command];
    if (options.folder !== undefined) return local(...args);
    // Before anything is said of an API.
    if (command.options.some(({ long }) => long === '--collection')) collectionOf(options);
    return overApi(await contextOf(command), ...args);
  };
}

/** @throws CliError without a collection that can be one */
export function collectionOf({ collection }: PlaceOptions): string {
  if (collection === undefined) throw new CliError(EXIT.usage, 'Say where: --folder DIR, or --collection ID.');
  if (CollectionId.safeParse(collection).success) return collection;
  throw new CliError(EXIT.usage, `${collection} cannot be the id of a collection.`);
}

/** Aborts when the command is to end: Ctrl-C, or systemd's stop. A second one ends it at once. */
export function untilInterrupted(): AbortSignal {
  const stop = new AbortController();
  const end = () => {
    if (stop.signal.aborted) process.exit(EXIT.interrupted);
    stop.abort(new CliError(EXIT.interrupted, 'Interrupted; the recording in work is as it was.'));
  };
  // Not once: where no listener is left, that of FFmpeg's runs ends the process.
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  return stop.signal;
}

/** An action that no API is behind: what fails in it, unforeseen, is this machine's. */
export function locally<Args extends unknown[]>(
  action: (...args: Args) => Promise<void>,
): (...args: Args) => Promise<void> {
  return (...args) =>
    action(...args).catch((error: unknown) => {
      throw error instanceof CliError ? error : new CliError(EXIT.failed, String((error as Error).message));
    });
}
