import { Command, CommanderError } from 'commander';
import { addArchive } from './commands/archive/archive.ts';
import { addCancel } from './commands/cancel.ts';
import { addCheckStream } from './commands/check-stream.ts';
import { addCollections } from './commands/collections/collections.ts';
import { addCompletion } from './commands/completion.ts';
import { addCosts } from './commands/costs.ts';
import { addDoctor } from './commands/doctor.ts';
import { addDownload } from './commands/download.ts';
import { addEdit } from './commands/edit.ts';
import { addEmbed } from './commands/embed.ts';
import { addEstimate } from './commands/estimate.ts';
import { addHealth } from './commands/health.ts';
import { addLink } from './commands/link.ts';
import { addLogin } from './commands/login.ts';
import { addLs } from './commands/ls.ts';
import { addOpen } from './commands/open.ts';
import { addPresets } from './commands/presets/presets.ts';
import { addRetranscode } from './commands/retranscode.ts';
import { addRetry } from './commands/retry.ts';
import { addRm } from './commands/rm.ts';
import { addRollback } from './commands/rollback.ts';
import { addShow } from './commands/show.ts';
import { addStats } from './commands/stats.ts';
import { addToken } from './commands/token.ts';
import { addUpload } from './commands/upload.ts';
import { addWatch } from './commands/watch.ts';
import { addWebhooks } from './commands/webhooks/webhooks.ts';
import { CliError, EXIT } from './exit.ts';
import { Output } from './output.ts';
import metadata from './package.json' with { type: 'json' };

/** In the order of `--help`. */
const COMMANDS: readonly ((program: Command) => void)[] = [
  ...[addLogin, addToken, addUpload, addLs, addShow, addWatch, addOpen, addDownload, addLink, addEmbed, addEdit],
  ...[addRetry, addCancel, addRetranscode, addRollback, addRm],
  ...[addCollections, addPresets, addWebhooks, addEstimate, addStats, addCosts, addHealth],
  ...[addDoctor, addCheckStream, addArchive, addCompletion],
];

function program(json: boolean): Command {
  const dropreel = new Command('dropreel')
    .description('Uploads media to dropreel, follows it and manages it, on this machine or deployed.')
    .option(
      '--endpoint <url>',
      'the API (DROPREEL_ENDPOINT); default: the local cloud that runs here, or the last login',
    )
    .option('--profile <name>', 'a profile of `login` (DROPREEL_PROFILE)')
    .option(
      '--as <creator>',
      'on a local cloud: act as that creator (DROPREEL_CREATOR); default me, who is an operator too',
    )
    .option('--json', 'print results as JSON, errors too')
    .version(metadata.version, '-V, --version')
    // Subcommands inherit these from here on.
    .configureHelp({ showGlobalOptions: true })
    // With --json, `main` prints what is wrong.
    .configureOutput({ outputError: (text, write) => (json ? undefined : write(text)) })
    .showHelpAfterError(json ? false : '(dropreel --help shows more)')
    .addHelpText(
      'after',
      `
Exit codes: 0 done, 1 what it found is bad, 2 wrong usage, 3 not allowed, 4 not found, 5 refused, 6 API unreachable,
130 interrupted.`,
    );
  for (const add of COMMANDS) add(dropreel);
  return dropreel;
}

/** Runs the command; returns the exit code. */
export async function main(argv: string[]): Promise<number> {
  const json = argv.includes('--json');
  const dropreel = program(json);
  exitOverride(dropreel);
  try {
    await dropreel.parseAsync(argv, { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    const out = new Output(json);
    if (!(error instanceof CommanderError)) return out.error(error).exitCode;
    if (error.exitCode === 0) return EXIT.ok;
    // Commander has already printed it as text, and the help in its place.
    if (json && error.code !== 'commander.help') out.error(new CliError(EXIT.usage, wrongUse(error)));
    return EXIT.usage;
  }
}

/** Without the word that begins each line of commander's. */
function wrongUse({ message }: CommanderError): string {
  return message.replace(/^error: /, '').replace('\n', ' ');
}

function exitOverride(command: Command): void {
  command.exitOverride();
  for (const child of command.commands) exitOverride(child);
}
