import { Command, CommanderError } from 'commander';
import { addCollections } from './commands/collections.ts';
import { addCompletion } from './commands/completion.ts';
import { addDoctor } from './commands/doctor.ts';
import { addDownload } from './commands/download.ts';
import { addLogin } from './commands/login.ts';
import { addMedia } from './commands/media.ts';
import { addSystem } from './commands/system.ts';
import { addUpload } from './commands/upload.ts';
import { addWebhooks } from './commands/webhooks.ts';
import { CliError, EXIT } from './exit.ts';

export function program(): Command {
  const dropreel = new Command('dropreel')
    .description('Uploads media to dropreel, follows it and manages it, on this machine or deployed.')
    .option(
      '--endpoint <url>',
      'the API (DROPREEL_ENDPOINT); default: the local cloud that runs here, or the last login',
    )
    .option('--profile <name>', 'a profile of `login` (DROPREEL_PROFILE)')
    .option('--as <creator>', 'on a local cloud: whose token (DROPREEL_CREATOR), default me')
    .option('--json', 'print results as JSON, errors too')
    .showHelpAfterError('(dropreel --help shows more)')
    .addHelpText(
      'after',
      `
Exit codes: 0 done, 1 what it found is bad, 2 wrong usage, 3 not allowed, 4 not found, 5 refused, 6 API unreachable,
130 interrupted.`,
    );
  addLogin(dropreel);
  addUpload(dropreel);
  addMedia(dropreel);
  addDownload(dropreel);
  addCollections(dropreel);
  addWebhooks(dropreel);
  addSystem(dropreel);
  addDoctor(dropreel);
  addCompletion(dropreel);
  return dropreel;
}

/** Runs the command; returns the exit code. */
export async function main(argv: string[]): Promise<number> {
  const dropreel = program();
  exitOverride(dropreel);
  try {
    await dropreel.parseAsync(argv, { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    // Commander has said it.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    const { message, exitCode, problem } = error instanceof CliError ? error : unexpected(error);
    const json = argv.includes('--json');
    process.stderr.write(
      json ? `${JSON.stringify({ error: message, exitCode, problem })}\n` : `dropreel: ${message}\n`,
    );
    return exitCode;
  }
}

function exitOverride(command: Command): void {
  command.exitOverride();
  for (const child of command.commands) exitOverride(child);
}

function unexpected(error: unknown): CliError {
  const message = error instanceof Error ? error.message : String(error);
  return new CliError(EXIT.unreachable, message);
}
